/** A plot: one number over the last minutes, as a line, and as it is now. */
import { setAttributes, setText, shape } from "./element.js";

/** How many samples are kept, one a second. */
const samplesMax = 180;

const width = 180;
const height = 40;

/** One small plot. */
export class Plot {
  #value;
  #format;
  /** @type {number[]} */
  #samples = [];
  #line = shape("path", { class: "line" });
  #area = shape("path", { class: "area" });

  /**
   * @param {HTMLElement} host has an element of class `value`
   * @param {(value: number) => string} format
   */
  constructor(host, format) {
    this.#value = host.querySelector(".value") ?? host;
    this.#format = format;
    host.append(
      shape(
        "svg",
        { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
        this.#area,
        this.#line,
      ),
    );
  }

  /** @param {number} sample the number in the last second */
  add(sample) {
    this.#samples.push(sample);
    if (this.#samples.length > samplesMax) this.#samples.shift();
    setText(this.#value, this.#format(sample));
    this.#draw();
  }

  #draw() {
    const top = Math.max(1, ...this.#samples);
    const start = samplesMax - this.#samples.length;
    const points = this.#samples.map((sample, index) => {
      const x = (start + index) * width / (samplesMax - 1);
      const y = height - 2 - sample / top * (height - 6);
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    const left = (start * width / (samplesMax - 1)).toFixed(1);
    setAttributes(this.#line, { d: `M${points.join("L")}` });
    setAttributes(this.#area, { d: `M${left} ${height}L${points.join("L")}L${width} ${height}Z` });
  }
}
