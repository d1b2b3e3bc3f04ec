import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { needs } from "../../permission.ts";
import { applyMutant, type Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";

const mutant: Mutant = { name: "less is more", file: "a.ts", find: "a < b", replace: "a > b" };

Deno.test("applyMutant() replaces what stands there once", () => {
  assertEquals(applyMutant(mutant, "return a < b;"), "return a > b;");
});

for (const text of ["return a;", "a < b || a < b"]) {
  Deno.test(`applyMutant() refuses to plant a bug in "${text}"`, () => {
    assertThrows(() => applyMutant(mutant, text), Error, 'Cannot plant "less is more" in a.ts');
  });
}

Deno.test({
  name: "every mutant can be planted",
  ...needs("read"),
  fn: () => {
    for (const mutant of mutants) {
      const file = new URL(`../../../${mutant.file}`, import.meta.url);
      assertNotEquals(applyMutant(mutant, Deno.readTextFileSync(file)), mutant.find);
    }
  },
});

Deno.test("every mutant has a name of its own, and changes something", () => {
  assertEquals(new Set(mutants.map(({ name }) => name)).size, mutants.length);
  assertEquals(mutants.filter(({ find, replace }) => find === replace), []);
});
