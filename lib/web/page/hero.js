/** The hero: the picture of the ring, what stands in its middle, and the list for small screens. */
import { element, find, setAttributes, setText } from "./element.js";
import { Hops } from "./hops.js";
import { isLive, shortNames, splitAddress } from "./members.js";
import { Picture } from "./picture.js";
import { Travellers } from "./travellers.js";
import { formatAge, formatCount } from "./units.js";

/** @typedef {import("./server_mark.js").ServerView} ServerView */

/** How long a message is seen between two servers, in milliseconds; a circle takes about `roundMs`. */
const checkMs = 800;
const roundMs = 2600;
const hopMsMin = 260;
const hopMsMax = 850;

/** Where a server listens, and looks for another, unless it is told. */
const defaultIp = "127.0.1.1";

/** What a server without files is shown with. */
const noFiles = formatCount(0, "file");

const stateWords = {
  joining: "catching up",
  alive: "alive",
  suspect: "not answering",
  dead: "stopped",
  left: "left",
  forgotten: "",
};

/** Shows the ring. */
export class Hero {
  #ring;
  /** @type {Picture} */
  #picture;
  /** @type {Travellers} */
  #travellers;
  #hops;
  #title = find("centre-title", HTMLElement);
  #text = find("centre-text", HTMLElement);
  #hint = find("centre-hint", HTMLElement);
  #command = find("centre-command", HTMLElement);
  #list = find("servers", HTMLElement);
  /** @type {readonly ServerView[]} */
  #views = [];
  /** The server that is pointed at. */
  #pointed = "";

  /** @param {import("./ring.js").Ring} ring */
  constructor(ring) {
    this.#ring = ring;
    const host = find("picture", HTMLElement);
    this.#picture = new Picture(host, (now) => this.#travellers.draw(now));
    this.#travellers = new Travellers(this.#picture);
    this.#hops = new Hops(
      (travel) => this.#travellers.add(travel),
      (message) => this.#durationOf(message),
    );
    for (const type of ["pointerover", "focusin"]) {
      host.addEventListener(type, (event) => this.#point(event.target));
    }
    for (const type of ["pointerleave", "focusout"]) {
      host.addEventListener(type, () => this.#point(null));
    }
  }

  /** @param {import("./ring.js").Hop} hop */
  handleHop(hop) {
    if (!document.hidden) this.#hops.handle(hop);
  }

  /** Shows the servers as they are now. */
  update() {
    const names = shortNames(this.#ring.members);
    const { members, circle } = this.#ring;
    const start = Math.max(0, members.findIndex(({ id }) => id === circle[0]?.id));
    this.#views = [...members.slice(start), ...members.slice(0, start)]
      .map((member) => this.#viewOf(member, names.get(member.id) ?? ""));
    this.#picture.show(this.#views);
    this.#showCentre();
    this.#showList();
  }

  /** @param {string} message */
  #durationOf(message) {
    if (message === "CHECK") return checkMs;
    const share = roundMs / Math.max(1, this.#ring.circle.length);
    return Math.max(hopMsMin, Math.min(hopMsMax, share));
  }

  /**
   * @param {import("./members.js").Member} member
   * @param {string} name
   * @returns {ServerView}
   */
  #viewOf(member, name) {
    const { id, web } = member;
    const numbers = this.#ring.numbersOf(id);
    const since = this.#ring.goneSince(id);
    const isGone = !isLive(member);
    const state = `${stateWords[member.status]}${isGone && since ? ` ${formatAge(since)}` : ""}`;
    return {
      member,
      name,
      isOwn: id === this.#ring.ownId,
      state,
      files: numbers === undefined || isGone ? "" : formatCount(numbers.files, "file"),
      equality: this.#ring.equality(id),
      ...(isGone ? { goneAt: describeEnd(member.status, since) } : {}),
      ...(web === undefined || isGone ? {} : { href: new URL("/_ring/", web).href }),
    };
  }

  /** @param {EventTarget | null} target */
  #point(target) {
    const mark = target instanceof Element ? target.closest(".server") : null;
    this.#pointed = mark?.getAttribute("data-id") ?? "";
    this.#showCentre();
  }

  #showCentre() {
    const pointed = this.#views.find(({ member }) => member.id === this.#pointed);
    const live = this.#views.filter(({ member }) => isLive(member));
    this.#showHint(live, pointed !== undefined);
    if (pointed !== undefined) {
      setText(this.#title, pointed.member.address);
      return setText(this.#text, describeServer(pointed));
    }
    setText(this.#title, live.length === 0 ? "" : formatCount(live.length, "server"));
    setText(this.#text, describeFiles(live));
  }

  /**
   * How to add a server, while there is one only.
   *
   * @param {readonly ServerView[]} live
   * @param {boolean} isPointing
   */
  #showHint([first, ...others], isPointing) {
    this.#hint.hidden = first === undefined || others.length > 0 || isPointing;
    const command = first === undefined ? "" : joinCommand(first.member.address);
    if (this.#command.textContent === command) return;
    // A line of it ends at a space, and at no dash.
    const words = command.split(" ").map((word) => element("span", {}, word));
    this.#command.replaceChildren(...words.flatMap((word, at) => at === 0 ? [word] : [" ", word]));
  }

  #showList() {
    const items = this.#views.map(({ member, name, state, files, isOwn, href }) => {
      const text = [isOwn ? "this server" : state, files].filter(Boolean).join(" · ");
      const label = href === undefined || isOwn
        ? element("strong", {}, name)
        : element("a", { href }, name);
      return element("li", { class: member.status }, label, ` ${text}`);
    });
    this.#list.replaceChildren(...items);
    setAttributes(this.#list, { hidden: items.length === 0 });
  }
}

/**
 * @param {"dead" | "left" | string} status
 * @param {number | undefined} since in milliseconds since 1970
 */
function describeEnd(status, since) {
  const deed = status === "left" ? "left" : "stopped";
  return since === undefined ? deed : `${deed} ${new Date(since).toTimeString().slice(0, 5)}`;
}

/**
 * What starts a server next to this one.
 *
 * @param {string} address
 */
function joinCommand(address) {
  const { host, port } = splitAddress(address);
  const ip = host === defaultIp ? "" : `--prev-ip ${host} `;
  return `ring server ${ip}--prev-port ${port}`;
}

/** @param {ServerView} view */
function describeServer({ state, files, equality, isOwn }) {
  const same = equality === "equal" && !isOwn ? "the same files as here" : "";
  const differs = equality === "differs" ? "not the same files yet" : "";
  return [isOwn ? "this server" : state, files, same || differs].filter(Boolean).join(" · ");
}

/** @param {readonly ServerView[]} live */
function describeFiles(live) {
  const [own] = live;
  if (own === undefined || own.files === "") return "";
  const found = new Set(live.map(({ equality }) => equality));
  if (found.has("differs")) return `${own.files}, not yet on all`;
  if (found.has("changing")) return "files are being written";
  if (live.every(({ files }) => files === noFiles)) return "no files yet";
  return found.has("unknown") || live.length === 1 ? own.files : `${own.files}, the same on all`;
}
