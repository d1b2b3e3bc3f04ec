import { assert, assertEquals, assertThrows } from "@std/assert";
import { clientFlags } from "../../lib/cli/client_flags.ts";
import { helpText } from "../../lib/cli/help.ts";
import { parseRingCommand } from "../../lib/cli/ring_command.ts";
import { serverFlags } from "../../lib/cli/server_flags.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { version } from "../../lib/cli/version.ts";

/** The columns that help may take: it should fit a terminal. */
const columnsMax = 90;

for (const [topic, table] of [["server", serverFlags], ["client", clientFlags]] as const) {
  Deno.test(`the help on ring ${topic} lists the flags of the parser, and no other`, () => {
    const listed = [
      ...helpText(topic).matchAll(/^ {2}(?:-(\w), | {4})--([a-z-]+)(?: (\S+))? {2}/gm),
    ];
    const known = table.flags.map(({ short, name, value }) => [short, name, value]);
    assertEquals(listed.map(([, short, name, value]) => [short, name, value]), known);
  });

  Deno.test(`all flags that the help on ring ${topic} mentions exist`, () => {
    const names = new Set(table.flags.map((flag) => flag.name));
    const mentioned = [...helpText(topic).matchAll(/--([a-z-]+)/g)].map(([, name]) => name ?? "");
    assertEquals(mentioned.filter((name) => !names.has(name)), []);
  });
}

for (const topic of ["ring", "server", "client"] as const) {
  Deno.test(`the help on ${topic} fits ${columnsMax} columns, and ends in one line end`, () => {
    const lines = helpText(topic).split("\n");
    assertEquals(lines.filter((line) => line.length > columnsMax || line !== line.trimEnd()), []);
    assert(lines.at(-1) === "" && lines.at(-2) !== "");
  });
}

for (
  const [args, expected] of [
    [[], "nothing"],
    [["--help"], "help"],
    [["-h"], "help"],
    [["help"], "help"],
    [["--version"], "version"],
  ] as const
) {
  Deno.test(`ring ${args.join(" ")} asks for ${expected}`, () => {
    assertEquals<string>(parseRingCommand(args), expected);
  });
}

for (
  const [args, message] of [
    [["sever"], 'There is no command "sever"; did you mean server?'],
    [["clinet"], 'There is no command "clinet"; did you mean client?'],
    [["frobnicate"], 'There is no command "frobnicate"; the commands are server and client'],
    [["--hlep"], 'There is no flag "--hlep"; did you mean --help?'],
    [["--port"], 'There is no flag "--port"; the flags are --help and --version'],
    [["--version", "x"], '--version takes nothing, and "x" is given'],
  ] as const
) {
  Deno.test(`ring ${args.join(" ")} is refused: ${message}`, () => {
    assertThrows(() => parseRingCommand(args), UsageError, message);
  });
}

Deno.test("the version has three numbers", () => {
  assert(/^\d+\.\d+\.\d+$/.test(version));
});
