/**
 * The journal: what happened, newest first. An entry may be rewritten while more becomes known of it:
 * how many servers have stored a file.
 */
import { element, setText } from "./element.js";

/** The most entries that are kept. */
const entriesMax = 200;

/** How often a screen reader is told something, at the most, in milliseconds. */
const announceMs = 2000;

/** @typedef {import("./sentences.js").Sentence} Sentence */

/** A list of sentences with the time of each. */
export class Journal {
  #list;
  #announcer;
  /** @type {Map<string, HTMLLIElement>} entries that may be rewritten, by a key */
  #byKey = new Map();
  #announcedAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #announcing;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} announcer what a screen reader reads aloud
   */
  constructor(list, announcer) {
    this.#list = list;
    this.#announcer = announcer;
  }

  /**
   * Writes an entry, or rewrites the one with this key.
   *
   * @param {Sentence} sentence
   * @param {string} [key]
   */
  write({ text, tone }, key) {
    const known = key === undefined ? undefined : this.#byKey.get(key);
    if (known?.lastElementChild) return setText(known.lastElementChild, text);
    const now = new Date();
    const time = element("time", { datetime: now.toISOString() }, now.toTimeString().slice(0, 8));
    const entry = element("li", { class: tone }, time, element("span", {}, text));
    if (key !== undefined) this.#byKey.set(key, entry);
    this.#list.prepend(entry);
    this.#bound();
  }

  /**
   * Has a sentence read aloud: for what matters, not for every file.
   *
   * @param {string} text
   */
  announce(text) {
    clearTimeout(this.#announcing);
    const wait = Math.max(0, this.#announcedAt + announceMs - Date.now());
    this.#announcing = setTimeout(() => {
      this.#announcedAt = Date.now();
      this.#announcer.textContent = text;
    }, wait);
  }

  #bound() {
    while (this.#list.children.length > entriesMax) this.#list.lastElementChild?.remove();
    for (const [key] of this.#byKey) {
      if (this.#byKey.size <= entriesMax) return;
      this.#byKey.delete(key);
    }
  }
}
