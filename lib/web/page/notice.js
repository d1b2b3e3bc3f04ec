/** The notices: this server has stopped, or the page was opened where it hears no other; and where to go. */
import { element, find, setText } from "./element.js";
import { isLive } from "./members.js";

/** How long a server may be silent before the page says that it has stopped, in milliseconds. */
const patienceMs = 1200;

/** The most servers that are offered. */
const offeredMax = 6;

/** Says what keeps the page from showing all, for as long as it does. */
export class Notice {
  #root = find("notice", HTMLElement);
  #text = find("notice-text", HTMLElement);
  #links = find("notice-links", HTMLElement);
  #files = find("files", HTMLElement);
  #elsewhere = find("elsewhere", HTMLElement);
  #elsewhereText = find("elsewhere-text", HTMLElement);
  #elsewhereLink = find("elsewhere-link", HTMLAnchorElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #waiting;

  /** @param {boolean} isHeard whether this server is heard */
  handleOwn(isHeard) {
    if (!isHeard) {
      this.#waiting ??= setTimeout(() => this.#show(true), patienceMs);
      return;
    }
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#show(false);
  }

  /** @param {import("./ring.js").Ring} ring */
  update({ members, ownId, properHref }) {
    this.#showElsewhere(properHref);
    const own = members.find(({ id }) => id === ownId);
    const others = members.filter((member) => isLive(member) && member.id !== ownId);
    const offered = others.filter(({ web }) => web !== undefined).slice(0, offeredMax);
    const name = own?.address ?? location.host;
    const rest = offered.length === 0 ? "" : " The ring goes on without it. Open another server:";
    setText(this.#text, `This server, ${name}, has stopped answering.${rest}`);
    const known = [...this.#links.children].map(({ textContent }) => textContent).join();
    if (known === offered.map(({ address }) => address).join()) return;
    this.#links.replaceChildren(
      ...offered.map(({ address, web = "" }) =>
        element("a", { href: new URL("/_ring/", web).href }, address)
      ),
    );
  }

  /** @param {string} href where the page would hear all; empty if it does */
  #showElsewhere(href) {
    this.#elsewhere.hidden = href === "";
    setText(
      this.#elsewhereText,
      `This page was opened at ${location.origin}, which is no address of the ring: it hears this ` +
        "server only. All are heard at",
    );
    setText(this.#elsewhereLink, href);
    this.#elsewhereLink.href = href;
  }

  /** @param {boolean} isStopped */
  #show(isStopped) {
    this.#root.hidden = !isStopped;
    document.body.classList.toggle("stopped", isStopped);
    // Whatever is pressed there asks the server that does not answer.
    this.#files.inert = isStopped;
  }
}
