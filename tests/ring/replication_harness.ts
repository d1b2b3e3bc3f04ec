/** The replication harness: circles of A and of others, and what came of them. */
import { assert } from "@std/assert";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { Circle, CircleName, Deed, Errand, Find } from "../../lib/ring/message.ts";
import { envelope, last, returning, Server } from "./harness.ts";
import { circleOf, idOf, memberOf, type Name, visitsOf } from "./sample.ts";

/** What A last sent round, of its own. */
export function sentRound(server: Server): Circle {
  return last(server.sent("FORWARD").filter(({ circle }) => circle.creator === idOf("A"))).circle;
}

export function report(server: Server, from: Name, { deed = "stored", circle }: {
  deed?: Deed;
  circle?: CircleName;
} = {}): void {
  const { creator, boot, sequence } = circle ?? sentRound(server);
  server.hear({ type: "REPORT", ...envelope(from), circle: { creator, boot, sequence }, deed });
}

/** Another server's circle arrives. */
export function forward(
  server: Server,
  errand: Errand,
  more: { circle?: Circle; body?: Uint8Array } = {},
) {
  const { circle = circleOf("C") } = more;
  const body = more.body === undefined ? {} : { body: more.body };
  server.hear({ type: "FORWARD", ...envelope("C"), hop: 9, circle, errand, ...body });
}

export function write(record: FileRecord, upload?: string): Errand {
  const more = upload === undefined ? {} : { upload };
  return { type: "WRITE", record, holder: idOf("C"), ...more };
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
