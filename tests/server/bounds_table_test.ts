/** The table of bounds says what the code does. */
import { assert, assertEquals } from "@std/assert";
import { serverFlags } from "../../lib/cli/server_flags.ts";
import { bounds } from "../../lib/web/refusals.ts";
import { needs } from "../permission.ts";

const table = new URL("../../lib/server/BOUNDS.md", import.meta.url);

const units: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["s", 1000],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
]);

interface Row {
  readonly bound: string;
  readonly value: string;
  readonly where: string;
  readonly metric: string;
  readonly test: string;
}

function readRows(): Row[] {
  const lines = Deno.readTextFileSync(table).split("\n").filter((line) => line.startsWith("|"));
  return lines.flatMap((line) => {
    const [, bound = "", value = "", where = "", , metric = "", test = ""] = line.split("|")
      .map((cell) => cell.trim());
    return bound === "bound" || /^-+$/.test(bound) ? [] : [{ bound, value, where, metric, test }];
  });
}

/** A value as the table gives it: `8 MiB`, `5 s`, `2,048`. */
function parseValue(text: string): number {
  const [, digits = "", unit = ""] = /^([\d,]+)(?: (\w+))?$/.exec(text) ?? [];
  const factor = units.get(unit);
  assert(digits !== "" && factor !== undefined, `${text} is a value`);
  return Number(digits.replaceAll(",", "")) * factor;
}

/** The number that a constant, or a property, is given in a source text. */
function readConstant(source: string, name: string): number {
  const text = new RegExp(`\\b${name}(?: =|:) ([\\d_* .]+)[;,]`).exec(source)?.[1] ?? "";
  assert(text !== "", `${name} is a number`);
  return text.split(" * ").map((factor) => {
    const [base = NaN, power = 1] = factor.split(" ** ").map((n) => Number(n.replaceAll("_", "")));
    return base ** power;
  }).reduce((product, factor) => product * factor);
}

/** The links in a cell, as a text and where it leads. */
function linksIn(cell: string): { text: string; source: string }[] {
  return [...cell.matchAll(/\[`?([^`\]]+)`?\]\(([^)]+)\)/g)].map(([, text = "", path = ""]) => ({
    text,
    source: Deno.readTextFileSync(new URL(path, table)),
  }));
}

Deno.test({
  name: "every bound has the value that the table gives, a flag that exists, and a test",
  ...needs("read"),
  fn: () => {
    const rows = readRows();
    assert(rows.length > 30, `${rows.length} rows`);
    for (const { bound, value, where, test } of rows) {
      for (const { text, source } of linksIn(where)) {
        assertEquals(readConstant(source, text), parseValue(value), bound);
      }
      for (const [, flag = ""] of where.matchAll(/`--([a-z-]+)`/g)) {
        assert(serverFlags.flags.some(({ name }) => name === flag), `--${flag} exists`);
      }
      assertEquals(linksIn(test).length, 1, bound);
    }
  },
});

Deno.test({
  name: "every bound that is counted is in the table",
  ...needs("read"),
  fn: () => {
    const counted = readRows().flatMap(({ metric }) => [...metric.matchAll(/`(\w+)`/g)])
      .map(([, name = ""]) => name);
    assertEquals([...new Set(counted)].sort(), [...bounds].sort());
  },
});
