/** The repair harness: what other members send to a server that catches up, and ask of one. */
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Member } from "../../lib/ring/member.ts";
import { noDigests } from "./disk.ts";
import { envelope, last, type Server } from "./harness.ts";
import { memberOf, type Name, recordOf } from "./sample.ts";

/** A page that answers the last COMPARE. */
export function page(
  server: Server,
  from: Name,
  { records = [], ...more }: {
    records?: readonly FileRecord[];
    next?: string;
    partial?: true;
  } = {},
): void {
  const { sequence } = last(server.sent("COMPARE", from));
  server.hear({ type: "PAGE", ...envelope(from), sequence, records, ...more });
}

/** A record whose body this server has already. */
export function known(server: Server, name: string): FileRecord {
  const record = recordOf(name, name);
  server.disk.bodies.add(record.sha256);
  return record;
}

/** A member tells that its files have this digest, in a CHECK. */
export function tell(server: Server, files: string, from: Name = "B"): void {
  server.hear({
    type: "CHECK",
    ...envelope(from),
    sequence: 1,
    list: "",
    files,
    wall: server.now.wall,
  });
}

/** A member that holds nothing, but for `changes`, asks for what may differ. */
export function compare(
  server: Server,
  from: Name,
  changes: { member?: Member; digests?: string; after?: string } = {},
): void {
  const about = { sequence: 7, member: memberOf(from), digests: noDigests, after: "" };
  server.hear({ type: "COMPARE", ...envelope(from), ...about, ...changes });
}
