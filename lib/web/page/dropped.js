/**
 * What was dropped, or chosen: files, with the names that they are to have. A folder that comes alone
 * is what `ring client --put folder/` takes: its contents, without the folder's own name.
 */

/** @typedef {{ name: string, file: File }} NamedFile */

/** The most files that are taken at a time. */
export const droppedMax = 10_000;

/**
 * The files of a drop, those in folders too.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<NamedFile[]>}
 */
export async function readDrop(transfer) {
  // The entries are there only until the event is over: all of them before the first wait.
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry());
  const loose = items.map((item) => item.getAsFile());
  /** @type {NamedFile[]} */
  const files = [];
  for (const [index, entry] of entries.entries()) {
    const file = loose[index];
    if (entry?.isDirectory) await readEntry(entry, files);
    else if (file) files.push({ name: file.name, file });
  }
  return withoutFolder(files);
}

/**
 * The files that were chosen in a dialog.
 *
 * @param {FileList} list
 * @returns {NamedFile[]}
 */
export function readChoice(list) {
  const files = [...list].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
  return withoutFolder(files);
}

/**
 * @param {FileSystemEntry} entry
 * @param {NamedFile[]} files what was found so far
 */
async function readEntry(entry, files) {
  if (files.length >= droppedMax) return;
  if (isFile(entry)) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    files.push({ name: entry.fullPath.replace(/^\//, ""), file });
  } else if (isDirectory(entry)) {
    for (const child of await readDirectory(entry)) await readEntry(child, files);
  }
}

/**
 * @param {FileSystemDirectoryEntry} directory
 * @returns {Promise<FileSystemEntry[]>}
 */
async function readDirectory(directory) {
  const reader = directory.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  while (true) {
    // A part at a time, until there is none.
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return entries;
    entries.push(...part);
  }
}

/**
 * @param {NamedFile[]} files
 * @returns {NamedFile[]}
 */
function withoutFolder(files) {
  const folders = new Set(files.map(({ name }) => name.slice(0, name.indexOf("/") + 1)));
  const [folder = ""] = folders;
  if (folders.size !== 1 || folder === "") return files;
  return files.map(({ name, file }) => ({ name: name.slice(folder.length), file }));
}

/** @param {FileSystemEntry} entry @returns {entry is FileSystemFileEntry} */
function isFile(entry) {
  return entry.isFile;
}

/** @param {FileSystemEntry} entry @returns {entry is FileSystemDirectoryEntry} */
function isDirectory(entry) {
  return entry.isDirectory;
}
