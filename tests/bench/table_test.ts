/** The table of what was compared. */
import { assertEquals } from "@std/assert";
import { atLeast, atMost, type Finding, inTurn } from "./comparison.ts";
import { formatTable } from "./table.ts";

const rate = { work: "PUT", peer: "etcd", unit: "/s", target: atLeast(2) };
const time = { work: "form", peer: "etcd", unit: "ms", target: atMost(1) };
const memory = { work: "memory", unit: "MiB", target: atMost(256) };
const told = { work: "cores", peer: "one server", unit: "cores" };

const lines: { name: string; finding: Finding; line: string }[] = [
  {
    name: "a rate that is high enough is met, by the medians",
    finding: { row: rate, ours: [100, 900, 500], theirs: [1, 250, 251] },
    line: "| PUT | 500 /s | etcd: 250 /s | 2.00× | ≥ 2× | met |",
  },
  {
    name: "a rate that is too low is missed",
    finding: { row: rate, ours: [499], theirs: [250] },
    line: "| PUT | 499 /s | etcd: 250 /s | 2.00× | ≥ 2× | **missed** |",
  },
  {
    name: "a time is met when it is short, and a small ratio keeps two digits",
    finding: { row: time, ours: [12], theirs: [2600] },
    line: "| form | 12.0 ms | etcd: 2,600 ms | 0.0046× | ≤ 1× | met |",
  },
  {
    name: "without a peer our own figure counts",
    finding: { row: memory, ours: [257], theirs: [] },
    line: "| memory | 257 MiB |  |  | ≤ 256 MiB | **missed** |",
  },
  {
    name: "without a target nothing is said of it",
    finding: { row: told, ours: [3], theirs: [2] },
    line: "| cores | 3.0 cores | one server: 2.0 cores | 1.50× |  |  |",
  },
  {
    name: "what is missing is said in place of figures",
    finding: {
      row: rate,
      ours: [],
      theirs: [],
      missing: "not installed (apt install etcd-server)",
    },
    line: "| PUT |  | etcd |  | ≥ 2× | not installed (apt install etcd-server) |",
  },
];
for (const { name, finding, line } of lines) {
  Deno.test(`formatTable(): ${name}`, () => {
    assertEquals(formatTable([finding]).split("\n").slice(2), [line]);
  });
}

Deno.test("inTurn() lets the peer begin in every other round", async () => {
  const order: string[] = [];
  const note = (name: string) => () => Promise.resolve(order.push(name));
  for (let round = 0; round < 3; round++) await inTurn(round, note("ours"), note("theirs"));
  assertEquals(order, ["ours", "theirs", "theirs", "ours", "ours", "theirs"]);
});
