import { assertRejects, assertThrows } from "@std/assert";
import { OutputClosedError, printLine, writeOutput } from "../../lib/cli/output.ts";
import { replaceMethod } from "../server/double.ts";

const failures: readonly [what: string, make: () => Error][] = [
  ["a pipe that nobody reads any more", () => new Deno.errors.BrokenPipe("Broken pipe")],
  // As Deno 2.9 throws it.
  ["a terminal that is closed", () => Object.assign(new Error("os error 5"), { code: "EIO" })],
];
for (const [what, make] of failures) {
  Deno.test(`to write to ${what} is told apart from other failures`, async () => {
    using _sync = replaceMethod(Deno.stdout, "writeSync", () => () => {
      throw make();
    });
    using _async = replaceMethod(Deno.stdout, "write", () => () => Promise.reject(make()));
    assertThrows(() => printLine("ring"), OutputClosedError);
    await assertRejects(() => writeOutput(new Uint8Array(1)), OutputClosedError);
  });
}

Deno.test("another failure to write is itself", () => {
  using _ = replaceMethod(Deno.stdout, "writeSync", () => () => {
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  });
  assertThrows(() => printLine("ring"), Error, "No space left");
});
