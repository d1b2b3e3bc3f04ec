/**
 * Streams: what the servers tell as it happens. One is open to each server of the ring, as each sees
 * only its own messages, and so that the page goes on when the server that it came from stops.
 */

/** How long to wait before a stream is opened again, in milliseconds: at first, and at the most. */
const retryMs = 500;
const retryMsMax = 4000;

/** How long a page that nobody sees keeps its streams: browsers allow six connections to a server. */
const hiddenMs = 30_000;

/** The most streams at a time. */
const streamsMax = 64;

const types = /** @type {const} */ (["list", "hop", "file", "note", "numbers"]);

/** @typedef {typeof types[number]} EventType */

/**
 * @typedef {object} StreamHandlers
 * @property {(origin: string, type: EventType, data: any) => void} onEvent something was told
 * @property {(origin: string, isOpen: boolean) => void} onState a stream was opened, or is cut off
 * @property {() => void} onSleep nobody sees the page: nothing more is told until somebody does
 */

/** The streams of all servers, by their origin, for example `http://127.0.1.1:8043`. */
export class Streams {
  #handlers;
  /** @type {Map<string, Stream>} */
  #streams = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hiding;
  #isAsleep = false;
  #ticket;

  /**
   * @param {StreamHandlers} handlers
   * @param {() => string} ticket what the other servers want to see, if they do
   */
  constructor(handlers, ticket) {
    this.#handlers = handlers;
    this.#ticket = ticket;
    document.addEventListener("visibilitychange", () => this.#handleVisibility());
  }

  /**
   * Listens at these, and no others.
   *
   * @param {readonly string[]} origins
   */
  follow(origins) {
    const wanted = new Set(origins.slice(0, streamsMax));
    for (const [origin, stream] of this.#streams) {
      if (wanted.has(origin)) continue;
      this.#streams.delete(origin);
      stream.close();
    }
    for (const origin of wanted) {
      if (this.#streams.has(origin)) continue;
      const stream = new Stream(origin, this.#handlers, this.#ticket);
      this.#streams.set(origin, stream);
      if (!this.#isAsleep) stream.open();
    }
  }

  #handleVisibility() {
    clearTimeout(this.#hiding);
    if (document.hidden) this.#hiding = setTimeout(() => this.#sleep(), hiddenMs);
    else if (this.#isAsleep) this.#wake();
  }

  #sleep() {
    this.#isAsleep = true;
    for (const stream of this.#streams.values()) stream.close();
    this.#handlers.onSleep();
  }

  #wake() {
    this.#isAsleep = false;
    for (const stream of this.#streams.values()) stream.open();
  }
}

/** The stream of one server; when it is cut off it is opened again, until it is closed. */
class Stream {
  #origin;
  #handlers;
  /** @type {EventSource | undefined} */
  #source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  #waitMs = retryMs;
  #ticket;

  /**
   * @param {string} origin
   * @param {StreamHandlers} handlers
   * @param {() => string} ticket
   */
  constructor(origin, handlers, ticket) {
    this.#origin = origin;
    this.#handlers = handlers;
    this.#ticket = ticket;
  }

  open() {
    const isOwn = this.#origin === location.origin;
    const query = isOwn || this.#ticket() === "" ? "" : `?ticket=${this.#ticket()}`;
    const source = new EventSource(`${this.#origin}/_ring/events${query}`);
    this.#source = source;
    source.onopen = () => {
      this.#waitMs = retryMs;
      this.#handlers.onState(this.#origin, true);
    };
    source.onerror = () => this.#handleCut();
    for (const type of types) {
      source.addEventListener(
        type,
        (event) => this.#handlers.onEvent(this.#origin, type, JSON.parse(event.data)),
      );
    }
  }

  close() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  /** The browser's own way of opening it again gives up on some answers, and is slow. */
  #handleCut() {
    this.close();
    this.#handlers.onState(this.#origin, false);
    this.#retry = setTimeout(() => this.open(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, retryMsMax);
  }
}
