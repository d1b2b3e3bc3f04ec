/**
 * The disk of a server: a directory, and where the machine allows it a small file system of its own in
 * memory, which can be filled up.
 */
import { join } from "node:path";
import { runCommand } from "./command.ts";

/** Bytes on a disk of its own: several times what the workload can leave there. */
const sizeBytes = 192 * 1024 * 1024;

/** How much of the ballast is written at a time, in bytes, until the disk takes no more of it. */
const chunkSizes: readonly number[] = [1024 * 1024, 64 * 1024, 4096];

/** Where one server keeps its data. */
export class DataDisk implements AsyncDisposable {
  /** The directory for `--data`. */
  readonly data: string;
  readonly #ballast: string;

  private constructor(
    private readonly directory: string,
    /** Whether it is a file system of its own, so that {@linkcode fill} fills only this one. */
    readonly canFill: boolean,
  ) {
    this.data = join(directory, "data");
    this.#ballast = join(directory, "ballast");
  }

  /** Makes a disk at `directory`, which is created; with a file system of its own if that is wanted. */
  static async open(directory: string, { mounts }: { mounts: boolean }): Promise<DataDisk> {
    await Deno.mkdir(directory, { recursive: true });
    if (!mounts) return new DataDisk(directory, false);
    try {
      await runCommand(["mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", directory]);
      return new DataDisk(directory, true);
    } catch {
      // Not every root may mount; then the disk cannot be filled, and the plan has no full disks.
      return new DataDisk(directory, false);
    }
  }

  /** Loses everything. The server must not run. */
  async wipe(): Promise<void> {
    await Deno.remove(this.data, { recursive: true }).catch(ignoreNotFound);
  }

  /** Takes all the room that is left. */
  async fill(): Promise<void> {
    const file = await Deno.open(this.#ballast, { write: true, create: true, append: true });
    try {
      for (const size of chunkSizes) await writeUntilFull(file, new Uint8Array(size));
    } finally {
      file.close();
    }
  }

  /** Gives the room back. */
  async free(): Promise<void> {
    await Deno.remove(this.#ballast).catch(ignoreNotFound);
  }

  /** Copies the data to `directory`, for a person who looks for a fault. */
  async copyTo(directory: string): Promise<void> {
    await runCommand(["cp", "-a", this.data, directory]);
  }

  /** Unmounts it. Without a file system of its own, the data go with the directory above. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.canFill) await runCommand(["umount", "--lazy", this.directory]);
  }
}

async function writeUntilFull(file: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  try {
    while (true) await file.write(chunk);
  } catch (error) {
    if (!isFull(error)) throw error;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && /no space left|os error 28/i.test(error.message);
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
