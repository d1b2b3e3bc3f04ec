/** Uploads: files on their way to this server, a few at a time, each with its progress and its end. */
import { element, setText } from "./element.js";
import { pathOf } from "./file_table.js";
import { formatCount } from "./units.js";
import { logIn } from "./log_in.js";
import { countCopies } from "./writes.js";

/** How many files are sent at the same time: the browser allows six connections, and one is the stream's. */
const parallelMax = 3;

/** The most uploads that are shown: those that are done go first. */
const shownMax = 40;

/** How long an upload that went well stays to be seen, in milliseconds. */
const doneMs = 6000;

/** @typedef {import("./dropped.js").NamedFile} NamedFile */

/** The uploads of this page. */
export class Uploads {
  #panel;
  #list;
  #summary;
  #onDone;
  /** @type {NamedFile[]} */
  #waiting = [];
  #underWay = 0;
  #stored = 0;
  #failed = 0;

  /**
   * @param {{ panel: HTMLElement, list: HTMLElement, summary: HTMLElement }} elements
   * @param {(text: string) => void} onDone all is done: a sentence on it
   */
  constructor({ panel, list, summary }, onDone) {
    this.#panel = panel;
    this.#list = list;
    this.#summary = summary;
    this.#onDone = onDone;
    // The browser asks whether to leave, in words of its own.
    addEventListener("beforeunload", (event) => {
      if (this.#underWay > 0) event.preventDefault();
    });
  }

  /** @param {readonly NamedFile[]} files */
  add(files) {
    this.#waiting.push(...files);
    this.#next();
  }

  #next() {
    while (this.#underWay < parallelMax) {
      const file = this.#waiting.shift();
      if (file === undefined) break;
      this.#underWay++;
      this.#send(file);
    }
    this.#show();
    if (this.#underWay === 0 && this.#stored + this.#failed > 0) this.#finish();
  }

  /** @param {NamedFile} named */
  #send({ name, file }) {
    const row = new UploadRow(name);
    this.#list.prepend(row.root);
    this.#bound();
    const request = new XMLHttpRequest();
    request.open("PUT", pathOf(name));
    if (file.type !== "") request.setRequestHeader("Content-Type", file.type);
    request.upload.onprogress = ({ loaded, total }) => row.progress(loaded, total);
    request.onload = () => this.#handleAnswer(row, request);
    request.onerror = () => this.#fail(row, "the server did not answer");
    request.onabort = () => this.#fail(row, "it was broken off");
    request.send(file);
  }

  /**
   * @param {UploadRow} row
   * @param {XMLHttpRequest} request
   */
  #handleAnswer(row, request) {
    if (request.status === 401) return logIn();
    if (request.status !== 201 && request.status !== 204) return this.#fail(row, reasonOf(request));
    this.#stored++;
    row.succeed(countCopies(Number(request.getResponseHeader("Ring-Copies") ?? 1)));
    setTimeout(() => {
      row.root.remove();
      this.#show();
    }, doneMs);
    this.#end();
  }

  /**
   * @param {UploadRow} row
   * @param {string} reason
   */
  #fail(row, reason) {
    this.#failed++;
    row.fail(reason);
    row.onDismiss(() => {
      row.root.remove();
      this.#show();
    });
    this.#end();
  }

  #end() {
    this.#underWay--;
    this.#next();
  }

  #show() {
    const left = this.#underWay + this.#waiting.length;
    setText(this.#summary, left === 0 ? "" : `${formatCount(left, "file")} to go`);
    this.#panel.hidden = left === 0 && this.#list.children.length === 0;
  }

  #finish() {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed.toLocaleString("en")} failed`;
    this.#onDone(`${formatCount(this.#stored, "file")} put${failed}.`);
    this.#stored = 0;
    this.#failed = 0;
  }

  #bound() {
    while (this.#list.children.length > shownMax) {
      const done = [...this.#list.children].reverse().find(({ className }) =>
        className !== "underway"
      );
      (done ?? this.#list.lastElementChild)?.remove();
    }
  }
}

/** One upload in the list. */
class UploadRow {
  #bar = element("progress", { max: 1, value: 0 });
  #result = element("span", { class: "result" }, "sending");
  root;

  /** @param {string} name */
  constructor(name) {
    this.#bar.setAttribute("aria-label", `Progress of ${name}`);
    this.root = element(
      "li",
      { class: "underway" },
      element("span", { class: "upload-name", title: name }, name),
      this.#bar,
      this.#result,
    );
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  progress(loaded, total) {
    this.#bar.value = total === 0 ? 1 : loaded / total;
    setText(this.#result, loaded < total ? `${Math.floor(100 * loaded / total)} %` : "storing");
  }

  /** @param {string} text */
  succeed(text) {
    this.root.className = "stored";
    this.#bar.value = 1;
    setText(this.#result, text);
  }

  /** @param {string} reason */
  fail(reason) {
    this.root.className = "failed";
    this.#bar.remove();
    setText(this.#result, reason);
  }

  /** @param {() => void} dismiss */
  onDismiss(dismiss) {
    const button = element("button", { type: "button", class: "dismiss" }, "Dismiss");
    button.addEventListener("click", dismiss);
    this.root.append(button);
  }
}

/**
 * Why a server refused, in its own words if it has some.
 *
 * @param {XMLHttpRequest} request
 */
export function reasonOf({ status, responseText }) {
  try {
    const { detail, title } = JSON.parse(responseText);
    return `${detail ?? title ?? status}`;
  } catch (error) {
    if (error instanceof SyntaxError) return `refused with status ${status}`;
    throw error;
  }
}
