/** A file that is got: under a temporary name until it is complete, so that no half file is left. */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { quoteText } from "../protocol/quote.ts";
import { exitCode } from "./exit_code.ts";
import { LocalError, localFailure } from "./local_error.ts";
import { writeAll } from "./put_source.ts";

/**
 * Writes `body` to the file at `path`. What was there stays until all of `body` has come, and if that
 * fails. A device or a pipe is written to as it is, as there is nothing to replace.
 *
 * @throws {LocalError} if the file cannot be written; and what `body` throws.
 */
export async function saveFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const target = await findTarget(path);
  if (target.replace) await replaceFile(target.path, body);
  else await writeFile({ path: target.path, options: { write: true } }, body);
}

async function findTarget(path: string): Promise<{ path: string; replace: boolean }> {
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) throw new LocalError(`Cannot write ${quoteText(path)}: it is a folder`);
    if (!info.isFile) return { path, replace: false };
    // Of a link, the file that it leads to is replaced, and not the link.
    return { path: await Deno.realPath(path), replace: true };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { path, replace: true };
    throw localFailure(error, `write ${quoteText(path)}`);
  }
}

async function replaceFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = join(dirname(path), `.ring-${randomBytes(8).toString("hex")}.part`);
  const interrupt = () => {
    removeIfThere(temporary);
    Deno.exit(exitCode.interrupted);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  try {
    await writeFile({ path: temporary, options: { write: true, createNew: true } }, body);
    await Deno.rename(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw localFailure(error, `write ${quoteText(path)}`);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
  }
}

async function writeFile(
  { path, options }: { path: string; options: Deno.OpenOptions },
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  using file = await Deno.open(path, options);
  for await (const chunk of body) await writeAll(file, chunk);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
