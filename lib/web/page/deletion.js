/** Deletion: asked first, as every server deletes. */
import { find, setText } from "./element.js";
import { pathOf } from "./file_table.js";
import { logIn } from "./log_in.js";

/** Asks, and deletes. */
export class Deletion {
  #dialog = find("delete-dialog", HTMLDialogElement);
  #name = find("delete-name", HTMLElement);
  #error = find("delete-error", HTMLElement);
  #confirm = find("delete-confirm", HTMLButtonElement);
  #file = "";

  constructor() {
    this.#confirm.addEventListener("click", () => this.#delete());
    find("delete-cancel", HTMLButtonElement).addEventListener("click", () => this.#dialog.close());
  }

  /** @param {string} name */
  ask(name) {
    this.#file = name;
    setText(this.#name, name);
    setText(this.#error, "");
    this.#confirm.disabled = false;
    this.#dialog.showModal();
  }

  async #delete() {
    this.#confirm.disabled = true;
    const error = await deleteFile(this.#file);
    this.#confirm.disabled = false;
    if (error === undefined) this.#dialog.close();
    else setText(this.#error, `Not deleted: ${error}.`);
  }
}

/**
 * Deletes a file; returns why that could not be done.
 *
 * @param {string} name
 * @returns {Promise<string | undefined>}
 */
async function deleteFile(name) {
  try {
    const answer = await fetch(pathOf(name), { method: "DELETE" });
    if (answer.status === 401) logIn();
    // 404: somebody else was quicker.
    if (answer.ok || answer.status === 404) return undefined;
    return `the server refused with status ${answer.status}`;
  } catch (error) {
    if (error instanceof TypeError) return "the server did not answer";
    throw error;
  }
}
