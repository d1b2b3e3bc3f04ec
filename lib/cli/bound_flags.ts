/** `ring server`: what its command line says of how much a server takes. */
import type { ServerOptions } from "../server/options.ts";
import { filesMaxDefault } from "../storage/quota.ts";
import { connectionsDefault } from "../web/admission.ts";
import { byteCountFlag, type Flag, numberFlag, optional, type ParsedFlags } from "./flags.ts";

/** The limits of `--max-connections`: below them a ring could not work; above, no process has the files. */
const connections = { min: 16, max: 1_000_000 };

/** The limits of `--max-files`. */
const files = { min: 1, max: 1_000_000_000 };

/** The bounds that can be set. */
export type BoundOptions = Pick<
  ServerOptions,
  "bytesMax" | "filesMax" | "connectionsMax" | "connectionsPerAddressMax"
>;

/** The flags of the bounds. */
export const boundFlagRows: readonly Flag[] = [
  {
    name: "max-bytes",
    value: "SIZE",
    help: "store so much at the most: 500GB (what the disk holds)",
  },
  {
    name: "max-files",
    value: "N",
    help: `and so many files (${filesMaxDefault.toLocaleString("en")})`,
  },
  {
    name: "max-connections",
    value: "N",
    help: `connections to each port, at a time (${connectionsDefault})`,
  },
  {
    name: "max-per-address",
    value: "N",
    help: "and of one address; 0 for any number (half of them)",
  },
];

/**
 * What the bounds are.
 *
 * @throws {UsageError} if the flags make no sense.
 */
export function boundFlags(parsed: ParsedFlags): BoundOptions {
  const perAddress = { min: 0, max: connections.max };
  return {
    ...optional("bytesMax", byteCountFlag(parsed, "max-bytes")),
    ...optional("filesMax", numberFlag(parsed, "max-files", files)),
    ...optional("connectionsMax", numberFlag(parsed, "max-connections", connections)),
    ...optional("connectionsPerAddressMax", numberFlag(parsed, "max-per-address", perAddress)),
  };
}
