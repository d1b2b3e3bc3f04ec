/**
 * A disk that loses its power: what is on it when the system calls so far have been made.
 *
 * Only what was synced is sure to be there. Of the changes of a file since its last fsync each one may
 * be there or not, and a write in part; of those of a directory all up to some one. That is what POSIX
 * allows and file systems do. Source: Pillai et al., "All File Systems Are Not Created Equal", OSDI
 * 2014.
 */
import type { SystemCall } from "./system_calls.ts";

/** Which of the changes that were not synced are there after the crash. */
export type Loss =
  | { readonly type: "all" }
  /** Nothing is lost, but the last write is there in part only. */
  | { readonly type: "tear"; readonly random: (below: number) => number }
  | { readonly type: "some"; readonly random: (below: number) => number };

/** What a disk writes at once, in bytes: a write may be torn between any two of these. */
const sectorBytes = 512;

type Change = { readonly offset: number; readonly bytes: Uint8Array } | { readonly size: number };

/** A file, whatever its name is. */
class File {
  /** What is sure to be there. */
  durable = new Uint8Array(0);
  /** What has changed since. */
  changes: Change[] = [];

  sync(): void {
    this.durable = apply(this.durable, this.changes);
    this.changes = [];
  }
}

type Entry = File | Directory;

class Directory {
  durable = new Map<string, Entry>();
  entries = new Map<string, Entry>();
  changes: { readonly name: string; readonly entry: Entry | undefined }[] = [];

  set(name: string, entry: Entry | undefined): void {
    this.changes.push({ name, entry });
    setEntry(this.entries, { name, entry });
  }

  sync(): void {
    this.durable = new Map(this.entries);
    this.changes = [];
  }
}

/** The disk under one directory, which is there and empty at first. */
export class CrashDisk {
  readonly #path: string;
  readonly #root = new Directory();
  /** The file that was written last, if that was the last call. */
  #written: File | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Makes a system call. */
  call(call: SystemCall): void {
    this.#written = undefined;
    switch (call.type) {
      case "print":
        return;
      case "open":
        return this.#open(call.path, call.isTruncated);
      case "write":
        this.#written = this.#findFile(call.path);
        this.#written?.changes.push({ offset: call.offset, bytes: call.bytes });
        return;
      case "truncate":
        this.#findFile(call.path)?.changes.push({ size: call.size });
        return;
      case "sync":
        return this.#find(call.path)?.sync();
      case "mkdir":
        return this.#set(call.path, new Directory());
      case "unlink":
        return this.#set(call.path, undefined);
      case "rename": {
        const entry = this.#find(call.from);
        this.#set(call.from, undefined);
        return this.#set(call.to, entry);
      }
    }
  }

  /** Writes what is there after a crash now into the empty directory `target`. */
  crash(target: string, loss: Loss): void {
    this.#writeDirectory(this.#root, { target, loss });
  }

  #writeDirectory(
    directory: Directory,
    { target, loss }: { target: string; loss: Loss },
  ): void {
    const { durable, changes } = directory;
    const entries = new Map(durable);
    for (const change of changes.slice(0, keptChanges(changes.length, loss))) {
      setEntry(entries, change);
    }
    for (const [name, entry] of entries) {
      const path = `${target}/${name}`;
      if (entry instanceof File) {
        Deno.writeFileSync(path, this.#contentsOf(entry, loss));
      } else {
        Deno.mkdirSync(path);
        this.#writeDirectory(entry, { target: path, loss });
      }
    }
  }

  #contentsOf(file: File, loss: Loss): Uint8Array {
    const { durable, changes } = file;
    switch (loss.type) {
      case "all":
        return durable;
      case "tear":
        if (file !== this.#written) return apply(durable, changes);
        return apply(durable, [
          ...changes.slice(0, -1),
          ...changes.slice(-1).map((change) => torn(change, loss.random)),
        ]);
      case "some": {
        const { random } = loss;
        const kept = changes.filter(() => random(2) === 0);
        return apply(
          durable,
          kept.map((change) => random(4) === 0 ? torn(change, random) : change),
        );
      }
    }
  }

  #open(path: string, isTruncated: boolean): void {
    const file = this.#find(path);
    if (file === undefined) this.#set(path, new File());
    else if (isTruncated && file instanceof File) file.changes.push({ size: 0 });
  }

  #find(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    for (const name of this.#namesIn(path)) {
      entry = entry instanceof Directory ? entry.entries.get(name) : undefined;
    }
    return entry;
  }

  /** A file that has a name still: what becomes of others does not matter. */
  #findFile(path: string): File | undefined {
    const entry = this.#find(path);
    return entry instanceof File ? entry : undefined;
  }

  #set(path: string, entry: Entry | undefined): void {
    const slash = path.lastIndexOf("/");
    const directory = this.#find(path.slice(0, slash));
    if (!(directory instanceof Directory)) throw new Error(`${path} is in no directory`);
    directory.set(path.slice(slash + 1), entry);
  }

  #namesIn(path: string): string[] {
    return path.slice(this.#path.length).split("/").filter((name) => name !== "");
  }
}

function keptChanges(count: number, loss: Loss): number {
  switch (loss.type) {
    case "all":
      return 0;
    case "tear":
      return count;
    case "some":
      return loss.random(count + 1);
  }
}

function setEntry(
  entries: Map<string, Entry>,
  { name, entry }: { name: string; entry: Entry | undefined },
): void {
  if (entry === undefined) entries.delete(name);
  else entries.set(name, entry);
}

/** A change that was made in part. */
function torn(change: Change, random: (below: number) => number): Change {
  if ("size" in change) return change;
  const sectors = random(Math.ceil(change.bytes.length / sectorBytes));
  return { offset: change.offset, bytes: change.bytes.subarray(0, sectors * sectorBytes) };
}

function apply(contents: Uint8Array, changes: readonly Change[]): Uint8Array<ArrayBuffer> {
  const largest = changes.reduce(
    (size, change) =>
      Math.max(size, "size" in change ? change.size : change.offset + change.bytes.length),
    contents.length,
  );
  const bytes = new Uint8Array(largest);
  bytes.set(contents);
  let size = contents.length;
  for (const change of changes) {
    if ("size" in change) {
      bytes.fill(0, change.size);
      size = change.size;
    } else {
      bytes.set(change.bytes, change.offset);
      size = Math.max(size, change.bytes.length === 0 ? 0 : change.offset + change.bytes.length);
    }
  }
  return bytes.slice(0, size);
}
