/** The files of this machine that `--put PATH...` means, and the names they get in the ring. */
import { basename } from "node:path";
import { quoteText } from "../protocol/quote.ts";
import { compareText } from "../ring/member.ts";
import { LocalError, localFailure } from "./local_error.ts";
import { UsageError } from "./usage_error.ts";

/** A file to put. */
export interface LocalFile {
  readonly path: string;
  /** Its name in the ring. */
  readonly name: string;
  /** Bytes, when it was found. */
  readonly size: number;
}

/** What is found under the paths. */
export interface LocalFiles {
  readonly files: readonly LocalFile[];
  /** Paths that could not be read. */
  readonly failures: readonly { readonly path: string; readonly error: unknown }[];
  /** What is in a folder and is no file: one sentence each. */
  readonly skipped: readonly string[];
}

interface Finds {
  readonly files: LocalFile[];
  readonly failures: { path: string; error: unknown }[];
  readonly skipped: string[];
}

/**
 * Finds the files that `paths` name. A file gets the last part of its path for a name, or `name`; the
 * files in a folder get their paths relative to it, in the order of their names.
 *
 * @throws {UsageError} if two files would get one name, or a folder a `name`.
 */
export async function findLocalFiles(
  paths: readonly string[],
  name: string | undefined,
): Promise<LocalFiles> {
  const finds: Finds = { files: [], failures: [], skipped: [] };
  for (const path of paths) {
    try {
      const info = await Deno.stat(path);
      if (info.isDirectory && name !== undefined) {
        throw new UsageError(
          `--as names one file, and ${quoteText(path)} is a folder`,
          "ring client",
        );
      }
      if (info.isDirectory) {
        await walk({ folder: path.replace(/(.)\/+$/, "$1"), prefix: "" }, finds);
      } else if (info.isFile) {
        finds.files.push({ path, name: name ?? basename(path), size: info.size });
      } else {throw new LocalError(
          `Cannot put ${quoteText(path)}: it is neither a file nor a folder`,
        );}
    } catch (cause) {
      if (cause instanceof UsageError) throw cause;
      finds.failures.push({ path, error: localFailure(cause, `put ${quoteText(path)}`) });
    }
  }
  assertNamesDiffer(finds.files);
  return finds;
}

/** Adds every file in a folder, and in the folders in it. */
async function walk(
  { folder, prefix }: { folder: string; prefix: string },
  finds: Finds,
): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  entries.sort((a, b) => compareText(a.name, b.name));
  for (const entry of entries) {
    const path = folder === "/" ? `/${entry.name}` : `${folder}/${entry.name}`;
    const name = `${prefix}${entry.name}`;
    try {
      if (entry.isDirectory) await walk({ folder: path, prefix: `${name}/` }, finds);
      else await addEntry({ path, name, isSymlink: entry.isSymlink }, finds);
    } catch (cause) {
      finds.failures.push({ path, error: localFailure(cause, `put ${quoteText(path)}`) });
    }
  }
}

/** Adds what is in a folder and is no folder itself. */
async function addEntry(
  { path, name, isSymlink }: { path: string; name: string; isSymlink: boolean },
  finds: Finds,
): Promise<void> {
  const info = await statOrNothing(path);
  if (info?.isFile) {
    finds.files.push({ path, name, size: info.size });
    return;
  }
  const what = info === undefined ? "leads nowhere" : "is no file";
  finds.skipped.push(
    `Skipped ${quoteText(path)}: ${
      isSymlink ? `the link ${what.replace("is no", "leads to no")}` : `it ${what}`
    }`,
  );
}

/** What is at `path`, links followed; `undefined` if nothing. */
async function statOrNothing(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function assertNamesDiffer(files: readonly LocalFile[]): void {
  const paths = new Map<string, string>();
  for (const { path, name } of files) {
    const other = paths.get(name);
    if (other !== undefined) {
      throw new UsageError(
        `${quoteText(other)} and ${quoteText(path)} would both be stored as ${quoteText(name)}`,
        "ring client",
      );
    }
    paths.set(name, path);
  }
}
