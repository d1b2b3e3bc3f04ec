/** Numbers: how busy the whole ring is, second by second. */
import { find } from "./element.js";
import { Plot } from "./plot.js";

/** @typedef {import("./ring.js").Numbers} Numbers */

/** How often the plots go on, in milliseconds. */
const tickMs = 1000;

/** Adds up what the servers tell of themselves. */
export class NumbersPanel {
  #requests = new Plot(find("plot-requests", HTMLElement), formatRate);
  #puts = new Plot(find("plot-puts", HTMLElement), formatRate);
  #latency = new Plot(find("plot-latency", HTMLElement), formatMilliseconds);
  #sum = { requests: 0, puts: 0, latency: 0 };
  #hasNews = false;

  constructor() {
    setInterval(() => this.#tick(), tickMs);
  }

  /**
   * @param {Numbers} numbers
   * @param {Numbers | undefined} previous what the same server told before
   */
  handle(numbers, previous) {
    if (previous === undefined) return;
    this.#hasNews = true;
    // A counter that is lower began anew.
    this.#sum.requests += Math.max(0, numbers.requests - previous.requests);
    this.#sum.puts += Math.max(0, numbers.puts - previous.puts);
    this.#sum.latency = Math.max(this.#sum.latency, numbers.latencyMs?.p99 ?? 0);
  }

  #tick() {
    if (!this.#hasNews) return;
    this.#requests.add(this.#sum.requests);
    this.#puts.add(this.#sum.puts);
    this.#latency.add(this.#sum.latency);
    this.#sum = { requests: 0, puts: 0, latency: 0 };
    this.#hasNews = false;
  }
}

/** @param {number} value */
function formatRate(value) {
  return `${value.toLocaleString("en")} /s`;
}

/** @param {number} value */
function formatMilliseconds(value) {
  return `${
    value < 1
      ? value.toFixed(2)
      : value < 10
      ? value.toFixed(1)
      : Math.round(value).toLocaleString("en")
  } ms`;
}
