/** The ring, as a server prints it. */
import type { Address } from "../ring/address.ts";
import { type Painter, printable } from "./output.ts";

/**
 * The circle on one line, from this server on and back to it.
 *
 * @example `ring 127.0.1.1:4043 -> 127.0.1.1:4044 -> (127.0.1.1:4043)`
 */
export function ringLine(addresses: readonly Address[], paint: Painter): string {
  const [self = "", ...others] = addresses.map(printable);
  const arrow = paint.dim(" -> ");
  return `ring ${[paint.green(self), ...others, paint.dim(`(${self})`)].join(arrow)}`;
}
