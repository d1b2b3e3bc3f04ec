/** The README has the whole table, and says of each comparison what the code says. */
import { assert, assertStringIncludes } from "@std/assert";
import { needs } from "../permission.ts";
import { comparisons } from "./compare/comparisons.ts";

const readme = new URL("../../README.md", import.meta.url);

/** Text without line ends where it was wrapped, and without the padding of tables. */
function unwrapped(markdown: string): string {
  return markdown.replaceAll(/\s+/g, " ");
}

Deno.test({
  name: "the README says of each comparison what exactly was compared, as the code has it",
  ...needs("read"),
  fn() {
    const text = unwrapped(Deno.readTextFileSync(readme));
    for (const [name, { fairness }] of comparisons) {
      assertStringIncludes(text, `- \`${name}\`: ${unwrapped(fairness)}`);
    }
  },
});

Deno.test({
  name: "the README's table has every row there is, with its peer",
  ...needs("read"),
  fn() {
    const lines = Deno.readTextFileSync(readme).split("\n").map(unwrapped);
    for (
      const { work, peer = "", target } of [...comparisons.values()].flatMap(({ rows }) => rows)
    ) {
      const line = lines.find((line) => {
        return line.startsWith(`| ${work} |`) && line.includes(peer === "" ? "|" : `| ${peer}: `);
      });
      assert(line !== undefined, `${work}, beside ${peer || "nothing"}`);
      const isJudged = /\| (met|\*\*missed\*\*) \|$/.test(line);
      assert(isJudged === (target !== undefined), line);
    }
  },
});
