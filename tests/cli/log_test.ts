import { assert, assertEquals } from "@std/assert";
import { configureLog, formatJson, logger } from "../../lib/log.ts";

Deno.test("a message for nobody is never made", () => {
  configureLog({ verbose: false, format: "text" });
  let made = false;
  logger("test").debug(() => {
    made = true;
    return "";
  });
  assert(!made);
});

for (
  const [format, verbose, expected] of [
    ["text", false, ["[WRN] test: {curly} \\x1b[2J\\nbraces"]],
    ["text", true, ["[DBG] test: later", "[WRN] test: {curly} \\x1b[2J\\nbraces"]],
    ["json", false, [
      '"level":"warning","category":"test","message":"{curly} \\u001b[2J\\nbraces"}',
    ]],
  ] as const
) {
  Deno.test(`logs as ${format}${verbose ? ", all," : ""} are a line each, without controls`, () => {
    const lines = recordErrors(() => {
      configureLog({ verbose, format });
      const log = logger("test");
      log.debug(() => "later");
      log.warn("{curly} \x1b[2J\nbraces");
    });
    assertEquals(lines.map((line) => expected.find((end) => line.endsWith(end))), [...expected]);
    // deno-lint-ignore no-control-regex -- these are what must not be there
    assert(lines.every((line) => !/[\x00-\x1f\x7f-\x9f]/.test(line)));
  });
}

Deno.test("a quiet log has warnings and errors only", () => {
  const lines = recordErrors(() => {
    configureLog({ verbose: false, format: "json", quiet: true });
    logger("test").info("hello");
    logger("test").error("alas");
  });
  assertEquals(lines.length, 1);
});

Deno.test("the fields of a message stand beside it in json, are not seen in text, and are made once", () => {
  let made = 0;
  const fields = () => ({ count: ++made, target: "/\u009b{a}", isComplete: true });
  for (
    const [format, verbose, expected] of [
      ["json", true, '"message":"b {a}","count":1,"target":"/\\u009b{a}","isComplete":true}'],
      ["text", true, "[DBG] test: b {a}"],
      ["json", false, undefined],
    ] as const
  ) {
    const lines = recordErrors(() => {
      configureLog({ verbose, format });
      logger("test").debug("b {a}", fields);
    });
    assertEquals(
      lines.map((line) => line.endsWith(expected ?? "")),
      verbose ? [true] : [],
      `${lines}`,
    );
  }
  assert(made <= 2);
});

Deno.test("formatJson() escapes what JSON lets through and a terminal obeys", () => {
  const line = formatJson({
    category: ["ring", "test"],
    level: "info",
    message: ["a", "\u009b2J", ""],
    rawMessage: "",
    timestamp: 0,
    properties: {},
  });
  assertEquals(
    line,
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","category":"test","message":"a\\u009b2J"}',
  );
});

/** What `body` writes to stderr, line by line. Tests are not a terminal's business: no colour. */
function recordErrors(body: () => void): string[] {
  const lines: string[] = [];
  const original = console.error;
  console.error = (line: string) => lines.push(line);
  try {
    body();
  } finally {
    console.error = original;
  }
  // deno-lint-ignore no-control-regex -- colours, if stderr is a terminal, are not what is tested
  return lines.map((line) => line.replace(/\x1b\[\d+m/g, ""));
}
