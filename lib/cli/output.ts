/** What a person or a program reads on stdout, and short notes on stderr. */
import { format as formatBytes } from "@std/fmt/bytes";
import { bold, cyan, dim, green, yellow } from "@std/fmt/colors";

/** Whoever read stdout has stopped reading, as `head` does: there is nobody left to tell. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
}

/** Colours for one stream: they do nothing unless it is a terminal and `NO_COLOR` is unset. */
export interface Painter {
  readonly bold: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/** Colours that colour. */
export const colourPainter: Painter = { bold, cyan, dim, green, yellow };

/** Colours that leave text as it is. */
export const plainPainter: Painter = {
  bold: same,
  cyan: same,
  dim: same,
  green: same,
  yellow: same,
};

/** The colours for stdout or stderr. */
export function painterFor(stream: { isTerminal(): boolean }): Painter {
  return stream.isTerminal() && !Deno.noColor ? colourPainter : plainPainter;
}

/**
 * Writes bytes to stdout.
 *
 * @throws {OutputClosedError} if nobody reads it any more.
 */
export async function writeOutput(bytes: Uint8Array): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      written += await Deno.stdout.write(bytes.subarray(written));
    }
  } catch (cause) {
    throw closedOr(cause);
  }
}

/**
 * Writes a line to stdout, at once.
 *
 * @throws {OutputClosedError} if nobody reads it any more.
 */
export function printLine(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  try {
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  } catch (cause) {
    throw closedOr(cause);
  }
}

/** Writes a line to stderr, under the name of the program. */
export function printNote(text: string): void {
  console.error(`ring: ${printable(text)}`);
}

/** A size as a person reads it: `1.23 kB`. */
export function sizeText(bytes: number): string {
  return formatBytes(bytes);
}

/** A number as a person reads it: `1,204`. */
export function numberText(number: number): string {
  return number.toLocaleString("en");
}

/** A number and what it counts: `1 copy`, `3 copies`, `1,204 files`. */
export function countText(count: number, [one, many]: readonly [string, string]): string {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}

/**
 * Text that came from outside, fit for a terminal: what would move the cursor, or turn the writing
 * round, is shown as a code point.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

function closedOr(cause: unknown): unknown {
  // A terminal that has been closed gives EIO.
  const isTerminalGone = cause instanceof Error && "code" in cause && cause.code === "EIO";
  if (!(cause instanceof Deno.errors.BrokenPipe || isTerminalGone)) return cause;
  return new OutputClosedError("Cannot write to stdout: nobody reads it any more", { cause });
}

function same(text: string): string {
  return text;
}
