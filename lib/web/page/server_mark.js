/** The mark of one server in the picture: a disc with its short name, its address and its state. */
import { setAttributes, setText, shape } from "./element.js";
import { lettersMax, pointOf, round, shortest } from "./layout.js";

/** @typedef {import("./layout.js").Place} Place */

/**
 * A server as it is shown.
 *
 * @typedef {object} ServerView
 * @property {import("./members.js").Member} member
 * @property {string} name the shortest that tells it apart
 * @property {boolean} isOwn whether the page came from it
 * @property {string} state in words
 * @property {string} files in words; empty if not known
 * @property {import("./ring.js").Equality} equality
 * @property {string} [href] its page
 * @property {string} [goneAt] in words, for one that is gone
 */

/** How much larger the circle is from which newcomers come in. */
const outside = 1.3;

/** What is near enough to its place. */
const near = 0.005;

/** Below this size a disc has no room for a badge. */
const badgeSizeMin = 17;

/** One server in the picture. */
export class ServerMark {
  root = shape("a", { class: "server", opacity: 0 });
  #halo = shape("circle", { class: "halo" });
  #disc = shape("circle", { class: "disc" });
  #name = shape("text", { class: "short-name", "text-anchor": "middle", dy: "0.35em" });
  #badge = shape(
    "g",
    { class: "badge" },
    shape("circle", { r: 8 }),
    shape("path", { d: "" }),
  );
  #address = shape("text", { class: "address" });
  #state = shape("text", { class: "state" });
  #isGone = false;
  /** @type {Place | undefined} */
  #target;
  /** @type {Place} */
  place = { angle: 0, radius: 0, size: 0, opacity: 0 };

  constructor() {
    this.root.append(this.#halo, this.#disc, this.#badge);
    // With spaces between, as it is read aloud.
    this.root.append(this.#name, " ", this.#address, " ", this.#state);
  }

  /** Whether it is no longer to be seen, and was told to leave. */
  get hasLeft() {
    return this.#target?.opacity === 0 && this.place.opacity < 0.01;
  }

  /** @param {ServerView} view */
  show(view) {
    const { member, name, isOwn, state, files, equality, href, goneAt } = view;
    this.#isGone = goneAt !== undefined;
    const said = [goneAt ?? (isOwn ? "this server" : state), files].filter(Boolean).join(" · ");
    setAttributes(this.root, {
      class: `server ${member.status}${isOwn ? " own" : ""}`,
      "aria-label": `${name} ${member.address} ${said}`,
      "data-id": member.id,
      href: href ?? false,
      tabindex: href === undefined ? "0" : false,
      role: href === undefined ? "img" : false,
    });
    setText(this.#name, name);
    setText(this.#address, shorten(member.address));
    setText(this.#state, said);
    this.#showBadge(member.status === "alive" && !isOwn ? equality : "unknown");
  }

  /** @param {Place} place where it is to be */
  moveTo(place) {
    if (this.#target === undefined) {
      this.place = { ...place, radius: place.radius * outside, opacity: 0 };
    }
    this.#target = place;
  }

  /** Lets it fade away. */
  leave() {
    this.#target = { ...this.place, opacity: 0 };
  }

  /** @param {"stored" | "checked" | "listed"} reason */
  pulse(reason) {
    if (this.#isGone) return;
    setAttributes(this.#halo, { class: "halo" });
    // Reading the layout makes the animation begin anew.
    this.#halo.getBoundingClientRect();
    setAttributes(this.#halo, { class: `halo ${reason}` });
  }

  /**
   * Goes this share of the rest of its way; returns whether there is more of it.
   *
   * @param {number} share from 0 to 1
   */
  glide(share) {
    const target = this.#target;
    if (target === undefined) return false;
    const { place } = this;
    const turn = shortest(place.angle, target.angle);
    const isNear = Math.abs(turn) < near && Math.abs(target.radius - place.radius) < 0.2 &&
      Math.abs(target.size - place.size) < 0.1 && Math.abs(target.opacity - place.opacity) < 0.01;
    const part = isNear ? 1 : share;
    this.place = {
      angle: place.angle + turn * part,
      radius: place.radius + (target.radius - place.radius) * part,
      size: place.size + (target.size - place.size) * part,
      opacity: place.opacity + (target.opacity - place.opacity) * part,
    };
    this.#draw();
    return !isNear;
  }

  #draw() {
    const { size, opacity } = this.place;
    const { x, y } = pointOf(this.place);
    setAttributes(this.root, {
      transform: `translate(${round(x)} ${round(y)})`,
      opacity: round(opacity),
    });
    setAttributes(this.#disc, { r: round(size) });
    setAttributes(this.#halo, { r: round(size) });
    setAttributes(this.#name, { "font-size": round(Math.max(9, Math.min(15, size * 0.52))) });
    setAttributes(this.#badge, {
      transform: `translate(${round(size * 0.74)} ${round(size * 0.74)})`,
      display: size < badgeSizeMin ? "none" : false,
    });
    this.#drawLabel();
  }

  /** Beside the disc; above or below it at the top and the bottom. */
  #drawLabel() {
    const { angle, size } = this.place;
    if (this.#isGone) {
      setAttributes(this.#state, { x: 0, y: round(size + 14), "text-anchor": "middle" });
      return;
    }
    const sine = Math.sin(angle);
    const isBeside = Math.abs(sine) > 0.3;
    const x = isBeside ? Math.sign(sine) * (size + 13) : 0;
    const y = isBeside ? -2 : Math.cos(angle) > 0 ? -(size + 31) : size + 24;
    const anchor = !isBeside ? "middle" : sine > 0 ? "start" : "end";
    setAttributes(this.#address, { x: round(x), y: round(y), "text-anchor": anchor });
    setAttributes(this.#state, { x: round(x), y: round(y + 18), "text-anchor": anchor });
  }

  /** @param {import("./ring.js").Equality} equality */
  #showBadge(equality) {
    const isKnown = equality === "equal" || equality === "differs";
    setAttributes(this.#badge, { class: isKnown ? `badge ${equality}` : "badge none" });
    const [, sign] = this.#badge.children;
    if (sign === undefined) return;
    setAttributes(sign, {
      d: equality === "equal"
        ? "M-3.4 0.2L-1 2.7L3.5 -2.5"
        : "M-3.4 -1.5H3.4M-3.4 1.7H3.4M2 -4L-2 4",
    });
  }
}

/**
 * An address that fits beside a disc: with its middle left out if need be.
 *
 * @param {string} address
 */
function shorten(address) {
  if (address.length <= lettersMax) return address;
  const half = (lettersMax - 1) / 2;
  return `${address.slice(0, Math.floor(half))}…${address.slice(-Math.ceil(half))}`;
}
