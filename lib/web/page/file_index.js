/**
 * The index: the names of all files, in the browser, so that searching and sorting are immediate. It is
 * bounded: of a ring with more files the first ones are in it, and a search asks the server for those
 * whose names begin so.
 */
import { stampMillis } from "./writes.js";

/**
 * @typedef {object} FileEntry
 * @property {string} name
 * @property {number} size
 * @property {string} contentType
 * @property {string} stamp
 * @property {string} modified
 */

/** The most files that the page keeps, and how many it asks for at a time. */
const filesMax = 20_000;
const pageSize = 1000;

/** The files of the ring, as this server lists them. */
export class FileIndex {
  /** @type {Map<string, FileEntry>} */
  #files = new Map();
  #onChange;
  #prefix = "";
  /** @type {import("./ring.js").FileChange["record"][]} what was written since the last load began */
  #newer = [];
  /** Raised when what is being loaded is no longer wanted. */
  #generation = 0;
  /** Whether there are more files than are kept. */
  isPartial = false;
  /** Whether the files were read to their end, or as far as they are kept. */
  isLoaded = false;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** What the names of the files in the index begin with. */
  get prefix() {
    return this.#prefix;
  }

  /** Whether all files are in the index, as far as is known. */
  get isWhole() {
    return this.#prefix === "" && !this.isPartial;
  }

  /**
   * Whether the server has nothing to add to what the index has for this text.
   *
   * @param {string} text
   */
  covers(text) {
    return text === this.#prefix || (!this.isPartial && text.startsWith(this.#prefix));
  }

  /** The files in the index, in no order. */
  values() {
    return this.#files.values();
  }

  /** Reads the files whose names start so anew; returns whether that could be done. */
  async load(prefix = "") {
    const generation = ++this.#generation;
    this.isLoaded = false;
    this.isPartial = false;
    this.#prefix = prefix;
    this.#newer = [];
    /** @type {Map<string, FileEntry>} */
    const files = new Map();
    /** @type {string | undefined} */
    let after = "";
    do {
      const page = await fetchPage(prefix, after);
      if (page === undefined || generation !== this.#generation) return page !== undefined;
      for (const file of page.files) files.set(file.name, file);
      after = page.next;
      this.#replace(files, false);
    } while (after !== undefined && files.size < filesMax);
    this.isPartial = after !== undefined;
    this.#replace(files, true);
    // What the server listed may be older than what it has told since.
    const newer = this.#newer;
    this.#newer = [];
    for (const record of newer) this.apply(record);
    return true;
  }

  /**
   * Takes note of a write.
   *
   * @param {import("./ring.js").FileChange["record"]} record
   */
  apply(record) {
    if (!this.isLoaded) this.#newer.push(record);
    const known = this.#files.get(record.name);
    if (known !== undefined && known.stamp >= record.stamp) return;
    if (record.deleted) this.#files.delete(record.name);
    else if (known !== undefined || this.#hasRoomFor(record.name)) {
      const modified = new Date(stampMillis(record.stamp)).toISOString();
      this.#files.set(record.name, { ...record, modified });
    }
    this.#onChange();
  }

  /** @param {string} name */
  #hasRoomFor(name) {
    return this.#files.size < filesMax && name.startsWith(this.#prefix);
  }

  /**
   * @param {Map<string, FileEntry>} files
   * @param {boolean} isLoaded
   */
  #replace(files, isLoaded) {
    this.#files = files;
    this.isLoaded = isLoaded;
    this.#onChange();
  }
}

/**
 * @param {string} prefix
 * @param {string} after
 * @returns {Promise<{ files: FileEntry[], next?: string } | undefined>} nothing if the server is not there
 */
async function fetchPage(prefix, after) {
  const query = new URLSearchParams({ prefix, after, limit: `${pageSize}` });
  try {
    const answer = await fetch(`/_ring/files.json?${query}`);
    return answer.ok ? await answer.json() : undefined;
  } catch (error) {
    // What `fetch` throws when there is no answer; the page says elsewhere that the server has stopped.
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
