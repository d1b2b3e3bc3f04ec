import { assertEquals } from "@std/assert";
import type { StatusAnswer } from "../../lib/ring/request.ts";
import { memberOf, type Name } from "../ring/sample.ts";
import { areOneCircle, holdTheSame } from "./agreement.ts";

const all: readonly Name[] = ["A", "B", "C"];
const addresses = all.map((name) => memberOf(name).address);

/** What a server says that sees these members, in the order of their names. */
function statusOf(name: Name, changes: Partial<StatusAnswer> = {}): StatusAnswer {
  const { id, address } = memberOf(name);
  const members = all.map((each) => memberOf(each));
  const held = { files: 1, bytes: 2, digest: "d" };
  return { type: "STATUS", status: 200, version: "0", id, address, members, ...held, ...changes };
}

const healthy = all.map((name) => statusOf(name));
const [a, b, c] = all.map((name) => memberOf(name));
if (a === undefined || b === undefined || c === undefined) throw new Error("There are three");

/** The third server says something else than the others. */
function odd(changes: Partial<StatusAnswer>): readonly StatusAnswer[] {
  return [statusOf("A"), statusOf("B"), statusOf("C", changes)];
}

Deno.test("areOneCircle() takes servers that see one circle, each from itself on", () => {
  assertEquals(areOneCircle(healthy, addresses), true);
  assertEquals(areOneCircle(odd({ members: [c, a, b] }), addresses), true);
});

const circleFaults: readonly {
  readonly name: string;
  readonly statuses: readonly StatusAnswer[];
}[] = [
  { name: "does not answer", statuses: healthy.slice(1) },
  { name: "misses a member", statuses: odd({ members: [a, c] }) },
  { name: "suspects another", statuses: odd({ members: [{ ...a, status: "suspect" }, b, c] }) },
  { name: "holds another dead", statuses: odd({ members: [{ ...a, status: "dead" }, b, c] }) },
  { name: "has another order", statuses: odd({ members: [a, c, b] }) },
  {
    name: "knows another incarnation",
    statuses: odd({ members: [{ ...a, incarnation: 9 }, b, c] }),
  },
  { name: "sees one too many", statuses: odd({ members: [a, b, c, memberOf("D")] }) },
];
for (const { name, statuses } of circleFaults) {
  Deno.test(`areOneCircle() finds that a server ${name}`, () => {
    assertEquals(areOneCircle(statuses, addresses), false);
  });
}

Deno.test("areOneCircle() finds that all agree on a circle that is too small", () => {
  const two = healthy.map((status) => ({ ...status, members: [a, b] }));
  assertEquals(areOneCircle(two, addresses), false);
});

Deno.test("holdTheSame() finds other files, and another list of those that are gone", () => {
  assertEquals(holdTheSame(healthy), true);
  assertEquals(holdTheSame([]), false);
  assertEquals(holdTheSame(odd({ digest: "e" })), false);
  assertEquals(holdTheSame(odd({ files: 2 })), false);
  assertEquals(holdTheSame(odd({ bytes: 3 })), false);
  const gone = memberOf("D", { status: "dead" });
  assertEquals(holdTheSame(odd({ members: [a, b, c, gone] })), false);
});
