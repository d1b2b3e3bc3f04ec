/** Elements: made and found in few words. No text of others is ever read as HTML. */

const svgNamespace = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element with these attributes (`true` for one without a value, `false` for none).
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Makes an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function shape(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, tag), attributes, children);
}

/**
 * Sets attributes of an element, those only that differ.
 *
 * @param {Element} target
 * @param {Record<string, string | number | boolean>} attributes
 */
export function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) target.removeAttribute(name);
    else {
      const text = value === true ? "" : `${value}`;
      if (target.getAttribute(name) !== text) target.setAttribute(name, text);
    }
  }
}

/**
 * The element of the page with this id.
 *
 * @template {Element} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function find(id, kind) {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} "${id}"`);
}

/**
 * Sets the text of an element, if it is another one.
 *
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @template {Element} Kind
 * @param {Kind} made
 * @param {Record<string, string | number | boolean>} attributes
 * @param {readonly (Node | string)[]} children
 * @returns {Kind}
 */
function fill(made, attributes, children) {
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}
