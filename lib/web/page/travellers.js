/**
 * Travellers: messages on their way in the picture. A CHECK, a FORWARD and an UPDATE go along the
 * circle, anything that is not for the next server straight across.
 */
import { setAttributes, shape } from "./element.js";
import { arcPath, clockwise, pointOf, round } from "./layout.js";

/** @typedef {import("./hops.js").Travel} Travel */

/** The most messages to be seen at a time: more cannot be told apart. */
const travellersMax = 80;

/** How far inside the circle a name is written, in pixels: at the sides, and deeper at the top and bottom. */
const nameDepth = 22;
const nameDepthMore = 24;

/** How wide a letter of a name is, and how far what stands in the middle reaches, in pixels. */
const letterWidth = 7.6;
const middleWidth = 84;
const middleHeight = 52;

/** How long a tail is, in radians, and the most letters of a name. */
const tailLength = 0.3;
const nameLengthMax = 26;

/** What a server does when one arrives. */
const reasons = /** @type {const} */ ({
  CHECK: "checked",
  FORWARD: "stored",
  UPDATE: "listed",
  PAGE: "stored",
});

/** Draws what travels. */
export class Travellers {
  #picture;
  /** @type {{ travel: Travel, root: SVGGElement | undefined }[]} */
  #all = [];

  /** @param {import("./picture.js").Picture} picture */
  constructor(picture) {
    this.#picture = picture;
  }

  /** @param {Travel} travel */
  add(travel) {
    if (this.#all.length >= travellersMax) return;
    this.#all.push({ travel, root: undefined });
    this.#picture.run();
  }

  /**
   * Draws all as they are now; returns whether there are any.
   *
   * @param {number} now
   */
  draw(now) {
    this.#all = this.#all.filter((traveller) => {
      const { travel } = traveller;
      if (now < travel.startsAt) return true;
      if (now >= travel.endsAt) {
        this.#arrive(travel);
        traveller.root?.remove();
        return false;
      }
      traveller.root ??= this.#show(travel);
      this.#move(
        traveller.root,
        travel,
        (now - travel.startsAt) / (travel.endsAt - travel.startsAt),
      );
      return true;
    });
    return this.#all.length > 0;
  }

  /** @param {Travel} travel */
  #arrive({ hop }) {
    this.#picture.pulse(hop.to, reasons[/** @type {keyof typeof reasons} */ (hop.message)]);
  }

  /** @param {Travel} travel */
  #show({ hop }) {
    const kind = hop.message.toLowerCase();
    const root = shape("g", { class: `traveller ${kind}` }, shape("path", { class: "tail" }));
    root.append(
      kind === "update"
        ? shape("rect", { class: "head", x: -5, y: -5, width: 10, height: 10, rx: 1.5 })
        : shape("circle", { class: "head", r: kind === "check" ? 4 : 6.5 }),
    );
    const { item } = hop;
    const isNamed = item !== undefined && !this.#all.some((other) => isNamedFrom(other, hop.from));
    if (isNamed) root.append(shape("text", { "text-anchor": "middle" }, shorten(item)));
    this.#picture.travels.append(root);
    return root;
  }

  /**
   * @param {SVGGElement} root
   * @param {Travel} travel
   * @param {number} share of the way that it has gone
   */
  #move(root, { hop }, share) {
    const from = this.#picture.placeOf(hop.from);
    const to = this.#picture.placeOf(hop.to);
    setAttributes(root, { display: from === undefined || to === undefined ? "none" : false });
    if (from === undefined || to === undefined) return;
    if (this.#picture.isStill) return flash(root, { from, to, radius: this.#picture.radius });
    const eased = share < 0.5 ? 2 * share * share : 1 - 2 * (1 - share) ** 2;
    const isOnCircle = this.#picture.isNext(hop.from, hop.to);
    if (isOnCircle) moveAlong(root, { from, to, radius: this.#picture.radius, share: eased });
    else moveAcross(root, { from: pointOf(from), to: pointOf(to), share: eased });
    // Near a server the name would be on its disc.
    const name = root.children[2];
    if (name) setAttributes(name, { opacity: round(Math.min(1, Math.min(share, 1 - share) * 7)) });
  }
}

/** @typedef {import("./layout.js").Place} Place */

/**
 * Whether a traveller shows its name on the way from this server: two would be across each other.
 *
 * @param {{ travel: Travel, root: SVGGElement | undefined }} traveller
 * @param {string} id
 */
function isNamedFrom({ travel, root }, id) {
  return travel.hop.from === id && root?.querySelector("text") != null;
}

/**
 * @param {SVGGElement} root
 * @param {{ from: Place, to: Place, radius: number, share: number }} way
 */
function moveAlong(root, { from, to, radius, share }) {
  const start = from.size / radius;
  const length = Math.max(0.01, clockwise(from.angle, to.angle) - start - to.size / radius);
  const angle = from.angle + start + length * share;
  const tail = Math.min(tailLength, length * share);
  place(root, { angle, radius });
  setAttributes(tailOf(root), { d: tail > 0.01 ? arcPath(radius, angle - tail, tail) : "" });
}

/**
 * @param {SVGGElement} root
 * @param {{ from: { x: number, y: number }, to: { x: number, y: number }, share: number }} way
 */
function moveAcross(root, { from, to, share }) {
  // Bent towards the middle, so that it never hides the circle.
  const bend = { x: (from.x + to.x) * 0.2, y: (from.y + to.y) * 0.2 };
  const rest = 1 - share;
  const x = rest * rest * from.x + 2 * rest * share * bend.x + share * share * to.x;
  const y = rest * rest * from.y + 2 * rest * share * bend.y + share * share * to.y;
  place(root, { angle: Math.atan2(x, -y), radius: Math.hypot(x, y) });
}

/**
 * Shows the way itself, for those who want nothing to move.
 *
 * @param {SVGGElement} root
 * @param {{ from: Place, to: Place, radius: number }} way
 */
function flash(root, { from, to, radius }) {
  const length = clockwise(from.angle, to.angle);
  const middle = { angle: from.angle + length / 2, radius };
  place(root, middle);
  setAttributes(tailOf(root), { d: arcPath(radius, from.angle, Math.max(0.01, length - 0.01)) });
}

/**
 * @param {SVGGElement} root
 * @param {{ angle: number, radius: number }} where
 */
function place(root, where) {
  const { x, y } = pointOf(where);
  const [, head, name] = root.children;
  if (head === undefined) return;
  const degrees = round(where.angle * 180 / Math.PI + 45);
  setAttributes(head, { transform: `translate(${round(x)} ${round(y)}) rotate(${degrees})` });
  if (name === undefined) return;
  placeName(name, where);
}

/**
 * Inside the circle, unless it would be across what stands in the middle.
 *
 * @param {Element} name
 * @param {{ angle: number, radius: number }} where
 */
function placeName(name, where) {
  const depth = nameDepth + nameDepthMore * Math.cos(where.angle) ** 2;
  const inner = pointOf({ angle: where.angle, radius: where.radius - depth });
  const sine = Math.sin(where.angle);
  const isBeside = Math.abs(sine) > 0.35;
  const end = Math.abs(inner.x) - letterWidth * (name.textContent?.length ?? 0);
  const isAcross = Math.abs(inner.y) < middleHeight && isBeside && end < middleWidth;
  setAttributes(name, {
    x: round(inner.x),
    y: round(inner.y + 4),
    class: isAcross ? "across" : false,
    "text-anchor": !isBeside ? "middle" : sine > 0 ? "end" : "start",
  });
}

/** @param {SVGGElement} root */
function tailOf(root) {
  return root.children[0] ?? root;
}

/** @param {string} name */
function shorten(name) {
  return name.length <= nameLengthMax ? name : `…${name.slice(1 - nameLengthMax)}`;
}
