/** The table of files: searched, sorted, and a page of it at a time. */
import { element, find, setAttributes, setText } from "./element.js";
import { FileIndex } from "./file_index.js";
import { formatAge, formatCount, formatSize } from "./units.js";

/** How many files are shown at a time. */
const rowsMax = 50;

/** How long to wait before a server that could not list its files is asked again, in milliseconds. */
const retryMs = 2000;

/** How long to collect changes before the table is made anew, in milliseconds. */
const renderMs = 120;

/** How long to wait for more letters before a server is asked, in milliseconds. */
const searchMs = 250;

/** The path of a bin, and that of an arrow down to a line. */
const bin = "M3 4.6H13M6.2 4.4V2.8H9.8V4.4M4.3 4.8L5 13.2H11L11.7 4.8M6.8 7.2V10.8M9.2 7.2V10.8";
const arrowDown = "M8 3V10.5M4.8 7.6L8 10.8L11.2 7.6M3.5 13.2H12.5";

/** @typedef {import("./file_index.js").FileEntry} FileEntry */
/** @typedef {"name" | "size" | "modified"} SortKey */

/** Shows the files, and lets people open, download and delete them. */
export class FileTable {
  #index = new FileIndex(() => this.#schedule());
  #onDelete;
  #body = find("files-body", HTMLTableSectionElement);
  #search = find("files-search", HTMLInputElement);
  #summary = find("files-summary", HTMLElement);
  #empty = find("files-empty", HTMLElement);
  #table = find("files-table", HTMLTableElement);
  #previous = find("files-previous", HTMLButtonElement);
  #next = find("files-next", HTMLButtonElement);
  #first = 0;
  /** @type {SortKey} */
  #sortKey = "name";
  #isDescending = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rendering;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #searching;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retrying;

  /** @param {(name: string) => void} onDelete somebody wants to delete this file */
  constructor(onDelete) {
    this.#onDelete = onDelete;
    this.#search.addEventListener("input", () => this.#handleSearch());
    this.#previous.addEventListener("click", () => this.#turn(-rowsMax));
    this.#next.addEventListener("click", () => this.#turn(rowsMax));
    for (const button of this.#table.querySelectorAll("button[data-sort]")) {
      button.addEventListener("click", () => this.#handleSort(button));
    }
  }

  /** Reads all files anew; a server that has not all of them yet is asked again until it has. */
  async load() {
    clearTimeout(this.#retrying);
    const isDone = await this.#index.load(this.#index.isWhole ? "" : this.#search.value);
    if (!isDone) this.#retrying = setTimeout(() => this.load(), retryMs);
    // Something may have been searched for while it was not yet known how many there are.
    else this.#ask();
  }

  /** Asks no more: the server is not there. */
  stopLoading() {
    clearTimeout(this.#retrying);
  }

  /** @param {import("./ring.js").FileChange["record"]} record */
  apply(record) {
    this.#index.apply(record);
  }

  /** Makes the table anew, soon: many changes at a time are one. */
  #schedule() {
    this.#rendering ??= setTimeout(() => {
      this.#rendering = undefined;
      this.#render();
    }, renderMs);
  }

  #render() {
    const found = this.#found();
    this.#first = Math.max(0, Math.min(this.#first, found.length - 1));
    this.#first -= this.#first % rowsMax;
    const shown = found.slice(this.#first, this.#first + rowsMax);
    const focused = this.#focusedFile();
    this.#body.replaceChildren(...shown.map((file) => this.#row(file)));
    this.#restoreFocus(focused);
    this.#showSummary(found.length, shown.length);
    this.#showEmpty(found.length);
  }

  /** The files that match what is searched for, sorted. */
  #found() {
    const text = this.#search.value.toLowerCase();
    const files = [...this.#index.values()].filter(({ name }) => name.toLowerCase().includes(text));
    const sign = this.#isDescending ? -1 : 1;
    const key = this.#sortKey;
    return files.sort((a, b) => sign * compare(a[key], b[key]) || compare(a.name, b.name));
  }

  /** @param {FileEntry} file */
  #row({ name, size, modified }) {
    const href = pathOf(name);
    const slash = name.lastIndexOf("/") + 1;
    const link = element("a", { href, target: "_blank", rel: "noopener", title: name });
    if (slash > 0) link.append(element("span", { class: "folder" }, name.slice(0, slash)));
    link.append(name.slice(slash));
    const remove = iconButton("Delete", name, bin);
    remove.addEventListener("click", () => this.#onDelete(name));
    const download = element(
      "a",
      {
        class: "icon",
        href,
        download: name.slice(slash),
        // Where the files are at another port the browser shows it instead, which must not end the page.
        target: "_blank",
        rel: "noopener",
        "aria-label": `Download ${name}`,
        title: "Download",
      },
    );
    download.append(icon(arrowDown));
    return element(
      "tr",
      { "data-name": name },
      element("td", { class: "name" }, link),
      element("td", { class: "size" }, formatSize(size)),
      element("td", { class: "modified", title: modified }, formatAge(Date.parse(modified))),
      element("td", { class: "actions" }, download, remove),
    );
  }

  /**
   * @param {number} found
   * @param {number} shown
   */
  #showSummary(found, shown) {
    const first = this.#first + 1;
    const range = found > shown
      ? `${first.toLocaleString("en")}–${(first + shown - 1).toLocaleString("en")} of `
      : "";
    const [only, rest] = this.#index.isPartial
      ? ["the first ", "; search for the others"]
      : ["", ""];
    const count = `${range}${only}${formatCount(found, "file")}${rest}`;
    setText(this.#summary, found === 0 ? "" : count);
    this.#previous.disabled = this.#first === 0;
    this.#next.disabled = this.#first + shown >= found;
    const hasPages = found > rowsMax;
    this.#previous.hidden = !hasPages;
    this.#next.hidden = !hasPages;
  }

  /** @param {number} found */
  #showEmpty(found) {
    this.#table.hidden = found === 0;
    this.#empty.hidden = found > 0 || !this.#index.isLoaded;
    const isSearch = this.#search.value !== "";
    this.#empty.classList.toggle("search", isSearch);
    const searched = this.#index.prefix === ""
      ? `No file has “${this.#search.value}” in its name.`
      : `No file has a name that begins with “${this.#search.value}”.`;
    const none = "No files yet. Drop some here: every server will have them.";
    setText(this.#empty, isSearch ? searched : none);
  }

  #handleSearch() {
    this.#first = 0;
    this.#schedule();
    this.#ask();
  }

  /** Asks the server, soon, for what is searched for and may not be in the index. */
  #ask() {
    clearTimeout(this.#searching);
    if (this.#index.covers(this.#search.value)) return;
    this.#searching = setTimeout(() => this.load(), searchMs);
  }

  /** @param {Element} button */
  #handleSort(button) {
    const key = /** @type {SortKey} */ (button.getAttribute("data-sort"));
    this.#isDescending = key === this.#sortKey ? !this.#isDescending : key !== "name";
    this.#sortKey = key;
    for (const header of this.#table.querySelectorAll("th")) {
      const isSorted = header.contains(button);
      setAttributes(header, {
        "aria-sort": isSorted && (this.#isDescending ? "descending" : "ascending"),
      });
    }
    this.#render();
  }

  /** @param {number} by how many files */
  #turn(by) {
    this.#first += by;
    this.#render();
    this.#table.parentElement?.scrollTo({ top: 0 });
  }

  /** Where the keyboard is, so that it stays there when the rows are made anew. */
  #focusedFile() {
    const { activeElement } = document;
    const row = activeElement?.closest("tr");
    if (!row || !activeElement || !this.#body.contains(row)) return undefined;
    const all = [...row.querySelectorAll("a, button")];
    return { name: row.dataset.name, index: all.indexOf(activeElement) };
  }

  /** @param {{ name: string | undefined, index: number } | undefined} focused */
  #restoreFocus(focused) {
    if (focused === undefined) return;
    const row = [...this.#body.rows].find(({ dataset }) => dataset.name === focused.name);
    const target = row?.querySelectorAll("a, button")[focused.index];
    if (target instanceof HTMLElement) target.focus({ preventScroll: true });
    else this.#search.focus({ preventScroll: true });
  }
}

/**
 * The path of a file on the server.
 *
 * @param {string} name
 */
export function pathOf(name) {
  return `/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/** @param {string} path */
function icon(path) {
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  setAttributes(holder, { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" });
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  setAttributes(line, { d: path });
  holder.append(line);
  return holder;
}

/**
 * @param {string} label
 * @param {string} name
 * @param {string} path
 */
function iconButton(label, name, path) {
  const button = element("button", {
    class: "icon",
    type: "button",
    "aria-label": `${label} ${name}`,
    title: label,
  });
  button.append(icon(path));
  return button;
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
