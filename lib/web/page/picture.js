/**
 * The picture: the ring as it is now. Whatever changes its place glides there; a newcomer comes in from
 * outside, and one that is gone falls inwards while the circle closes over it.
 */
import { setAttributes, shape } from "./element.js";
import { arcPath, clockwise, frameFor, placesOf, pointOf, round } from "./layout.js";
import { isLive } from "./members.js";
import { ServerMark } from "./server_mark.js";

/** @typedef {import("./layout.js").Place} Place */
/** @typedef {import("./server_mark.js").ServerView} ServerView */

/** How quickly a place is taken, per second: two thirds of the way in a fifth of one. */
const glideRate = 5;

/** Shows servers on a circle, and whatever travels between them. */
export class Picture {
  #host;
  #svg = shape("svg", { class: "picture", role: "group", "aria-label": "The ring" });
  #arcs = shape("g", { class: "arcs", "aria-hidden": "true" });
  #travels = shape("g", { class: "travels", "aria-hidden": "true" });
  #marks = shape("g", { class: "marks" });
  /** @type {Map<string, ServerMark>} */
  #byId = new Map();
  /** @type {readonly ServerView[]} in the order of the circle, from this server on */
  #views = [];
  #frame = frameFor(640, 560, []);
  #onFrame;
  #isRunning = false;
  #lastTime = 0;
  #motion = matchMedia("(prefers-reduced-motion: reduce)");

  /**
   * @param {HTMLElement} host
   * @param {(now: number) => boolean} onFrame draws what travels; whether there is more to come
   */
  constructor(host, onFrame) {
    this.#host = host;
    this.#onFrame = onFrame;
    this.#svg.append(this.#arcs, this.#travels, this.#marks);
    host.prepend(this.#svg);
    new ResizeObserver(() => this.#layOut()).observe(host);
  }

  /** Where to draw what travels. */
  get travels() {
    return this.#travels;
  }

  /** The radius of the circle, in pixels. */
  get radius() {
    return this.#frame.radius;
  }

  /** Whether the person who looks wants nothing to move. */
  get isStill() {
    return this.#motion.matches;
  }

  /**
   * Where a server is at this moment, and how large; `undefined` if it is not shown.
   *
   * @param {string} id
   */
  placeOf(id) {
    return this.#byId.get(id)?.place;
  }

  /**
   * Whether one is the other's successor, as the picture shows it.
   *
   * @param {string} from
   * @param {string} to
   */
  isNext(from, to) {
    const live = this.#live;
    const index = live.findIndex(({ id }) => id === from);
    return index >= 0 && live[(index + 1) % live.length]?.id === to;
  }

  /**
   * Lets a server light up for a moment.
   *
   * @param {string} id
   * @param {"stored" | "checked" | "listed"} reason
   */
  pulse(id, reason) {
    this.#byId.get(id)?.pulse(reason);
  }

  /** @param {readonly ServerView[]} views in the order of the circle, from this server on */
  show(views) {
    this.#views = views;
    for (const view of views) {
      const mark = this.#byId.get(view.member.id) ?? this.#addMark(view.member.id);
      mark.show(view);
    }
    const shown = new Set(views.map(({ member }) => member.id));
    for (const [id, mark] of this.#byId) if (!shown.has(id)) mark.leave();
    this.#layOut();
  }

  /** Draws frames for as long as something moves. */
  run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#lastTime = performance.now();
    requestAnimationFrame((now) => this.#draw(now));
  }

  get #live() {
    return this.#views.map(({ member }) => member).filter(isLive);
  }

  /** @param {string} id */
  #addMark(id) {
    const mark = new ServerMark();
    this.#byId.set(id, mark);
    this.#marks.append(mark.root);
    return mark;
  }

  #layOut() {
    const { width, height } = this.#host.getBoundingClientRect();
    if (width === 0) return;
    const live = this.#live;
    this.#frame = frameFor(width, height, live);
    const { shift } = this.#frame;
    this.#host.style.setProperty("--shift", `${shift}px`);
    setAttributes(this.#svg, {
      viewBox: `${-width / 2} ${-height / 2 - shift} ${width} ${height}`,
      width,
      height,
    });
    this.#host.classList.toggle("bare", !this.#frame.hasLabels);
    const places = placesOf(this.#views.map(({ member }) => member), live, this.#frame);
    for (const [id, place] of places) this.#byId.get(id)?.moveTo(place);
    this.run();
  }

  /** @param {number} now */
  #draw(now) {
    const seconds = Math.min(0.1, Math.max(0, now - this.#lastTime) / 1000);
    this.#lastTime = now;
    const share = this.isStill ? 1 : 1 - Math.exp(-glideRate * seconds);
    let isMoving = false;
    for (const [id, mark] of this.#byId) {
      isMoving = mark.glide(share) || isMoving;
      if (mark.hasLeft) this.#remove(id, mark);
    }
    this.#drawArcs();
    isMoving = this.#onFrame(now) || isMoving;
    if (isMoving) requestAnimationFrame((next) => this.#draw(next));
    else this.#isRunning = false;
  }

  /**
   * @param {string} id
   * @param {ServerMark} mark
   */
  #remove(id, mark) {
    mark.root.remove();
    this.#byId.delete(id);
  }

  /** An arc from each live server to the next, and a point in its middle that shows the direction. */
  #drawArcs() {
    const live = this.#live;
    while (this.#arcs.children.length > live.length) this.#arcs.lastElementChild?.remove();
    live.forEach(({ id }, index) => {
      const from = this.placeOf(id);
      const to = this.placeOf(live[(index + 1) % live.length]?.id ?? "");
      if (from !== undefined && to !== undefined) {
        drawArc(this.#arc(index), from, to, live.length === 1);
      }
    });
  }

  /** @param {number} index */
  #arc(index) {
    const existing = this.#arcs.children[index];
    if (existing !== undefined) return existing;
    const arc = shape("g", {}, shape("path", { class: "arc" }), shape("path", { class: "arrow" }));
    this.#arcs.append(arc);
    return arc;
  }
}

/**
 * @param {Element} arc
 * @param {Place} from
 * @param {Place} to
 * @param {boolean} isAlone
 */
function drawArc(arc, from, to, isAlone) {
  const [line, arrow] = arc.children;
  const radius = (from.radius + to.radius) / 2;
  const room = (from.size + 7) / radius;
  const whole = isAlone ? 2 * Math.PI : clockwise(from.angle, to.angle);
  const length = whole - 2 * room;
  if (line === undefined || arrow === undefined) return;
  setAttributes(line, { d: length > 0 ? arcPath(radius, from.angle + room, length) : "" });
  const middle = from.angle + whole / 2;
  const point = pointOf({ angle: middle, radius });
  setAttributes(arrow, {
    d: length > 0.12 ? "M-3.5 -4.5L3 0L-3.5 4.5" : "",
    transform: `translate(${round(point.x)} ${round(point.y)}) rotate(${
      round(middle * 180 / Math.PI)
    })`,
  });
}
