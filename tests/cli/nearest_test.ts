import { assertEquals } from "@std/assert";
import { clientFlags } from "../../lib/cli/client_flags.ts";
import { nearest } from "../../lib/cli/nearest.ts";

const names = clientFlags.flags.map((flag) => flag.name);

const cases: [string, string | undefined][] = [
  ["gte", "get"],
  ["prot", "port"],
  ["tiemout", "timeout"],
  ["stauts", "status"],
  ["LIST", "list"],
  ["lst", "list"],
  ["verb", "verbose"],
  ["port-number", "port"],
  ["getaways", undefined],
  ["xyzzy", undefined],
  ["q", undefined],
  ["", undefined],
  ["x".repeat(1000), undefined],
];
for (const [typed, meant] of cases) {
  Deno.test(`nearest() takes ${JSON.stringify(typed.slice(0, 20))} for ${meant}`, () => {
    assertEquals(nearest(typed, names), meant);
  });
}

Deno.test("nearest() finds nothing among nothing", () => {
  assertEquals(nearest("get", []), undefined);
});
