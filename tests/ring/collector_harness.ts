/** The collector harness: surveys and collections of A and of others, and what comes of them. */
import { assert } from "@std/assert";
import type { Survey } from "../../lib/ring/message.ts";
import { Disk } from "./disk.ts";
import { envelope, inRingWith, last, type Server } from "./harness.ts";
import { idOf, type Name, stampAt, tombstoneOf, visitsOf } from "./sample.ts";

/** A in a ring with others, and on its disk as many tombstones, older than what is stamped later. */
export function inRingWithTombstones(count: number, ...others: Name[]): Server {
  const disk = new Disk();
  for (let n = 0; n < count; n++) disk.add(tombstoneOf(`file ${n}`, stampAt(n + 1)));
  return inRingWith({ disk }, ...others);
}

/** What a member says that is settled, and has what A has; but for `changes`. */
export function surveyOf(server: Server, name: Name, changes: Partial<Survey> = {}): Survey {
  const { list, disk } = server;
  return { id: idOf(name), list, files: disk.digest, isSettled: true, ...changes };
}

/** The SURVEY that A has sent comes back from all, with what these say. */
export function surveyed(server: Server, ...surveys: Survey[]): void {
  const { errand, circle } = last(server.sent("FORWARD"));
  assert(errand.type === "SURVEY", `the last circle is a ${errand.type}`);
  const visited = server.node.circle.map(({ id }) => ({ id, deed: "passed" as const }));
  const back = { hop: 9, circle: { ...circle, visited }, errand: { ...errand, surveys } };
  server.hear({ type: "FORWARD", ...envelope("B"), ...back });
}

/** The COLLECT that A has sent comes back, with what these did. */
export function collected(server: Server, deeds: Partial<Record<Name, "stored" | "failed">>): void {
  const { errand, circle } = last(server.sent("FORWARD"));
  assert(errand.type === "COLLECT", `the last circle is a ${errand.type}`);
  const visited = [
    ...visitsOf("stored", "A"),
    ...(["B", "C", "D"] as const).flatMap((name) => {
      const deed = deeds[name];
      return deed === undefined ? [] : [{ id: idOf(name), deed }];
    }),
  ];
  const back = { hop: 9, circle: { ...circle, visited }, errand };
  server.hear({ type: "FORWARD", ...envelope("B"), ...back });
}
