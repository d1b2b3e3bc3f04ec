/** The directory of a store: made so that it lasts, and held by one process at a time. */
import { dirname } from "node:path";
import { StoreOpenError } from "./store.ts";

/** For the owner alone: the files of a ring are not every user's. */
const directoryMode = 0o700;

/** Makes a directory, and those above it, durably; one that is there stays as it is. */
export function makeDirectory(path: string): void {
  if (tryMakeDirectory(path)) return;
  makeDirectory(dirname(path));
  tryMakeDirectory(path);
}

/** Makes the names in a directory durable: what was created in it, renamed or removed. */
export function syncDirectory(path: string): void {
  using directory = Deno.openSync(path);
  directory.syncSync();
}

/**
 * Takes the directory for this process until the file is closed. The kernel lets go of the lock when
 * the process dies, however it does, so none is ever left over.
 * @throws {StoreOpenError} If another has it, in this process or not.
 */
export function lockDirectory(path: string): Deno.FsFile {
  using held = new DisposableStack();
  const file = held.use(Deno.openSync(`${path}/ring.lock`, { create: true, write: true }));
  if (!file.tryLockSync(true)) {
    throw new StoreOpenError(
      `Cannot open the store in "${path}": it is in use by another ring server`,
    );
  }
  held.move();
  return file;
}

/** Whether the directory is there now; not, if there is none that it could be in. */
function tryMakeDirectory(path: string): boolean {
  try {
    Deno.mkdirSync(path, { mode: directoryMode });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return true;
    if (error instanceof Deno.errors.NotFound && dirname(path) !== path) return false;
    throw error;
  }
  syncDirectory(dirname(path));
  return true;
}
