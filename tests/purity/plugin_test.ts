import { assertEquals } from "@std/assert";
import plugin from "./plugin.ts";

interface Case {
  readonly rule: string;
  /** What the rule refuses, each in `file`, or in a file of the core. */
  readonly refused: readonly string[];
  /** What it lets pass there. */
  readonly allowed: readonly string[];
  readonly file?: string;
}

const cases: readonly Case[] = [
  {
    rule: "no-ambient",
    refused: [
      "Date.now();",
      "new Date();",
      "type At = Date;",
      "Math.random();",
      'Math["random"]();',
      "const { random } = Math;",
      "performance.now();",
      "crypto.getRandomValues(bytes);",
      "globalThis.x;",
      'eval("1");',
      'new Function("return 1");',
      "setTimeout(f, 1);",
      "setInterval(f, 1);",
      "queueMicrotask(f);",
      'console.log("x");',
      "Deno.args;",
      "new Intl.Collator();",
      "a.localeCompare(b);",
      "n.toLocaleString();",
      "import.meta.url;",
      "const o = { Date };",
      "o[crypto];",
    ],
    allowed: [
      "Math.max(1, 2);",
      "member.performance;",
      "const o = { console: 1 };",
      "interface A { self: string; fetch(): void }",
      "class A { crypto = 1; eval() {} }",
      "now.wall;",
      "const { self } = options;",
      '"Date";',
      "// Date",
    ],
  },
  {
    rule: "no-async",
    refused: [
      "async function f() {}",
      "const f = async () => {};",
      "const f = async function () {};",
      "class A { async f() {} }",
      "const o = { async f() {} };",
      "await f();",
      "for await (const x of xs) {}",
      "Promise.resolve();",
      "type P = Promise<void>;",
      "type P = PromiseLike<void>;",
      "function f(xs: AsyncIterable<number>) {}",
    ],
    allowed: [
      "function* f() { yield 1; }",
      "for (const x of xs) {}",
      "o.Promise;",
    ],
  },
  {
    rule: "no-module-state",
    refused: ["let count = 0;", "var count = 0;", "export let count = 0;"],
    allowed: [
      "const sizeMax = 1;",
      "export const sizeMax = 1;",
      "function f() { let i = 0; }",
    ],
  },
  {
    rule: "import-direction",
    refused: [
      'import { join } from "node:path";',
      'import { assert } from "@std/assert";',
      'import type { Store } from "../storage/store.ts";',
      'import { x } from "../ring_extra/x.ts";',
      'import "../../main.ts";',
      'import json from "../../deno.json" with { type: "json" };',
      'export { x } from "../protocol/frame.ts";',
      'export * from "../log.ts";',
      'type L = import("../log.ts").Logger;',
      'import("../log.ts");',
      "import(name);",
    ],
    allowed: [
      'import { x } from "./member.ts";',
      'import type { Member } from "../ring/member.ts";',
      'export * from "./member.ts";',
      "export const x = 1;",
    ],
  },
  {
    rule: "import-direction",
    file: "lib/protocol/frame.ts",
    refused: [
      'import type { Store } from "../storage/store.ts";',
      'import { getLogger } from "@logtape/logtape";',
      'import { log } from "../log.ts";',
      'import { serve } from "../server/server.ts";',
      'import { x } from "../../tests/x.ts";',
    ],
    allowed: [
      'import { Buffer } from "node:buffer";',
      'import { x } from "../ring/member.ts";',
      'import { x } from "./name.ts";',
    ],
  },
  {
    rule: "import-direction",
    file: "lib/storage/disk_store.ts",
    refused: [
      'import { x } from "../protocol/frame.ts";',
      'import { x } from "../client/x.ts";',
    ],
    allowed: ['import { x } from "../ring/member.ts";'],
  },
  {
    rule: "import-direction",
    file: "lib/server/server.ts",
    refused: [
      'import { x } from "../client/client.ts";',
      'import { x } from "../cli/flags.ts";',
      'import { x } from "../build/compile.ts";',
    ],
    allowed: [
      'import { log } from "../log.ts";',
      'import { x } from "../storage/store.ts";',
    ],
  },
  {
    rule: "import-direction",
    file: "lib/client/client.ts",
    refused: [
      'import { x } from "../server/options.ts";',
      'import { x } from "../storage/store.ts";',
    ],
    allowed: [
      'import { log } from "../log.ts";',
      'import { x } from "../protocol/frame.ts";',
    ],
  },
  {
    rule: "import-direction",
    file: "lib/cli/server.ts",
    refused: ['import { getLogger } from "@logtape/logtape";'],
    allowed: [
      'import { x } from "../server/server.ts";',
      'import { x } from "../client/client.ts";',
      'import settings from "../../deno.json" with { type: "json" };',
    ],
  },
  {
    rule: "import-direction",
    file: "lib/log.ts",
    refused: ['import { x } from "./cli/flags.ts";'],
    allowed: ['import { getLogger } from "@logtape/logtape";'],
  },
  {
    rule: "import-direction",
    file: "lib/utils/x.ts",
    refused: ['import { x } from "../ring/member.ts";'],
    allowed: [],
  },
  {
    rule: "no-ambient",
    file: "lib/server/server.ts",
    refused: [],
    allowed: ["Date.now();", "setTimeout(f, 1);"],
  },
  {
    rule: "no-async",
    file: "tests/ring/x_test.ts",
    refused: [],
    allowed: ["await f();"],
  },
  {
    rule: "import-direction",
    file: "tests/ring/x_test.ts",
    refused: [],
    allowed: ['import { x } from "../../lib/cli/flags.ts";'],
  },
];

for (const { rule, refused, allowed, file = "lib/ring/x.ts" } of cases) {
  for (const source of refused) {
    Deno.test(`ring/${rule} refuses ${source} in ${file}`, () => {
      assertEquals(lint(file, source), [`ring/${rule}`]);
    });
  }
  for (const source of allowed) {
    Deno.test(`ring/${rule} allows ${source} in ${file}`, () => {
      assertEquals(lint(file, source).includes(`ring/${rule}`), false);
    });
  }
}

/** The rules that a text breaks, each once. */
function lint(file: string, source: string): readonly string[] {
  return [
    ...new Set(Deno.lint.runPlugin(plugin, file, source).map(({ id }) => id)),
  ];
}
