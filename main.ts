/** `ring`: from the command line to a command, and from its outcome to the exit code. */
import { runClient } from "./lib/cli/client_command.ts";
import type { ExitCode } from "./lib/cli/exit_code.ts";
import { reportFailure } from "./lib/cli/failure.ts";
import { asksFor } from "./lib/cli/flags.ts";
import { runRing } from "./lib/cli/ring_command.ts";
import { runServer } from "./lib/cli/server_command.ts";

async function main([command, ...args]: readonly string[]): Promise<ExitCode> {
  switch (command) {
    case "server":
      return await runServer(args);
    case "client":
      return await runClient(args);
    default:
      return await runRing(Deno.args);
  }
}

if (import.meta.main) {
  const verbose = asksFor(Deno.args, "verbose");
  const fail = (error: unknown) => Deno.exit(reportFailure(error, { verbose }));
  // What nothing caught is told in one line, like any other failure, and not as a stack trace.
  addEventListener("error", (event) => fail(event.error));
  addEventListener("unhandledrejection", (event) => fail(event.reason));
  Deno.exit(await main(Deno.args).catch(fail));
}
