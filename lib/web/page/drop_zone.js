/** The drop zone: the whole page takes files, and two buttons do for those who do not drag. */
import { find } from "./element.js";
import { readChoice, readDrop } from "./dropped.js";

/** @param {(files: import("./dropped.js").NamedFile[]) => void} onFiles */
export function startDropZone(onFiles) {
  // Entering a child is told before the parent is left.
  let depth = 0;
  /** @param {boolean} isOver */
  const show = (isOver) => document.body.classList.toggle("dropping", isOver);
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth++;
    show(true);
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    show(depth > 0);
  });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    depth = 0;
    show(false);
    onFiles(await readDrop(event.dataTransfer));
  });
  startPicker("choose-files", onFiles);
  startPicker("choose-folder", onFiles);
}

/**
 * @param {string} id of the button; its input is `${id}-input`
 * @param {(files: import("./dropped.js").NamedFile[]) => void} onFiles
 */
function startPicker(id, onFiles) {
  const input = find(`${id}-input`, HTMLInputElement);
  find(id, HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    if (input.files !== null) onFiles(readChoice(input.files));
    input.value = "";
  });
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") ?? false;
}
