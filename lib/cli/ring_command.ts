/** `ring` itself: what there is to say when no command is given, or one that does not exist. */
import { Secret } from "../protocol/secret.ts";
import { type ExitCode, exitCode } from "./exit_code.ts";
import { reportFailure } from "./failure.ts";
import { commands, helpText } from "./help.ts";
import { nearest } from "./nearest.ts";
import { printLine, writeOutput } from "./output.ts";
import { UsageError } from "./usage_error.ts";
import { version } from "./version.ts";

/** Runs `ring` with arguments that do not begin with a command; returns the exit code. */
export async function runRing(args: readonly string[]): Promise<ExitCode> {
  try {
    const request = parseRingCommand(args);
    switch (request) {
      case "help":
        await writeOutput(new TextEncoder().encode(helpText("ring")));
        return exitCode.done;
      case "version":
        printLine(`ring ${version}`);
        return exitCode.done;
      case "secret":
        printLine(Secret.generate());
        return exitCode.done;
      case "nothing":
        console.error(helpText("ring").trimEnd());
        return exitCode.usage;
    }
  } catch (error) {
    return reportFailure(error);
  }
}

/**
 * What the arguments of `ring` ask for.
 *
 * @throws {UsageError} if that is nothing that `ring` knows.
 */
export function parseRingCommand(
  args: readonly string[],
): "help" | "version" | "secret" | "nothing" {
  const [word, extra] = args;
  if (word === undefined) return "nothing";
  if (["--help", "-help", "-h", "help"].includes(word)) return "help";
  const request = word === "secret" ? "secret" : "version";
  if (request === "version" && !["--version", "-version", "-V"].includes(word)) {
    throw unknownWord(word);
  }
  if (extra === undefined) return request;
  throw new UsageError(`${word} takes nothing, and ${JSON.stringify(extra)} is given`);
}

function unknownWord(word: string): UsageError {
  const isFlag = word.startsWith("-");
  const known = isFlag ? ["--help", "--version"] : commands;
  const meant = nearest(word, known);
  const hint = meant === undefined
    ? `; ${isFlag ? "the flags" : "the commands"} are ${known.join(" and ")}`
    : `; did you mean ${meant}?`;
  return new UsageError(
    `There is no ${isFlag ? "flag" : "command"} ${JSON.stringify(word)}${hint}`,
  );
}
