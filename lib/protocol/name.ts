/**
 * Which file names there may be. A name is a key, never a path on a server's disk, yet clients turn
 * names into paths and URLs, so what could climb out of a folder or hide in a terminal is refused.
 */
import { nameBytesMax } from "../ring/file_record.ts";
import { quoteText } from "./quote.ts";

/** C0, DEL and C1: what a terminal might obey. */
const control = /\p{Cc}/u;

const encoder = new TextEncoder();

/**
 * Says in one sentence why `name` cannot name a file, or returns `undefined` if it can.
 *
 * A name has 1 to {@linkcode nameBytesMax} bytes of UTF-8, in segments between `/`, none of which is
 * empty, `.` or `..`; it has no control character and no backslash.
 */
export function nameError(name: string): string | undefined {
  const reason = whyInvalid(name);
  return reason === undefined ? undefined : `Cannot use the name ${quoteText(name)}: ${reason}`;
}

/** Whether `text` has more than `bytesMax` bytes as UTF-8. */
export function isLongerThan(text: string, bytesMax: number): boolean {
  // A UTF-16 code unit is one to three bytes, so most texts need not be encoded to know.
  if (text.length > bytesMax) return true;
  return text.length * 3 > bytesMax && encoder.encode(text).length > bytesMax;
}

function whyInvalid(name: string): string | undefined {
  if (name === "") return `it is empty, and must have 1 to ${nameBytesMax} bytes`;
  if (isLongerThan(name, nameBytesMax)) {
    return `it is longer than ${nameBytesMax} bytes`;
  }
  if (!name.isWellFormed()) return "half of a surrogate pair is missing";
  if (control.test(name)) return "it has a control character";
  if (name.includes("\\")) return "it has a backslash";
  if (name.startsWith("/")) return "it begins with a slash";
  for (const segment of name.split("/")) {
    if (segment === "") return "a segment between slashes is empty";
    if (segment === "." || segment === "..") return `"${segment}" may not be a segment`;
  }
  return undefined;
}
