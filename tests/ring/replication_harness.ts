/** The replication harness: circles of A and of others, and what came of them. */
import { assert } from "@std/assert";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { Circle, CircleName, Deed, Errand, Find, Forward } from "../../lib/ring/message.ts";
import { envelope, last, returning, Server } from "./harness.ts";
import { circleOf, idOf, memberOf, type Name, visitsOf } from "./sample.ts";

/** What A last sent round, of its own. */
export function sentRound(server: Server): Circle {
  return last(server.sent("FORWARD").filter(({ circle }) => circle.creator === idOf("A"))).circle;
}

/** A server says what it has done with A's last circle, or with another one. */
export function report(server: Server, from: Name, { deed = "stored", circle, members }: {
  deed?: Deed;
  circle?: CircleName;
  members?: readonly Member[];
} = {}): void {
  const { creator, boot, sequence } = circle ?? sentRound(server);
  const about = { circle: { creator, boot, sequence }, deed };
  const list = members === undefined ? {} : { members };
  server.hear({ type: "REPORT", ...envelope(from), ...about, ...list });
}

/** Another server's circle arrives. */
export function forward(
  server: Server,
  errand: Errand,
  { circle = circleOf("C"), ...more }: Partial<Pick<Forward, "circle" | "members" | "body">> = {},
) {
  server.hear({ type: "FORWARD", ...envelope("C"), hop: 9, circle, errand, ...more });
}

/** A write of C's, which has the same list as A unless told otherwise. */
export function write(
  server: Server,
  record: FileRecord,
  { list = server.list, ...more }: { list?: string; upload?: string } = {},
): Errand {
  return { type: "WRITE", record, holder: idOf("C"), list, ...more };
}

/** The FIND that A has sent round comes back. */
export function comeBack(
  server: Server,
  { found, visited }: { found?: Find; visited: Circle["visited"] },
) {
  const { errand, circle } = last(server.sent("FORWARD"));
  assert(errand.type === "FIND");
  const back = { ...errand, ...(found === undefined ? {} : { found }) };
  const hop = { hop: 9, circle: { ...circle, visited }, errand: back };
  server.hear({ type: "FORWARD", ...envelope("C"), ...hop });
}

export function joining(): Server {
  return returning(memberOf("B"), memberOf("C")).forget();
}

export const everywhere = visitsOf("passed", "A", "B", "C");
