import { assertEquals } from "@std/assert";
import { RingError } from "../../lib/client/ring_error.ts";
import { describeFailure } from "../../lib/cli/failure.ts";
import { LocalError, localFailure } from "../../lib/cli/local_error.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { ServerError } from "../../lib/server/options.ts";
import { StoreOpenError } from "../../lib/storage/store.ts";

const netRefused = new Deno.errors.NotCapable(
  'Requires net access to "8.8.8.8:4043", run again with the --allow-net flag',
);
const netText = "This build of ring may not use the network address 8.8.8.8:4043; build one that " +
  "may with RING_NET=8.8.8.8 deno task compile";

for (
  const [error, exitCode, message] of [
    [new UsageError("No such flag", "ring client"), 2, "No such flag (see ring client --help)"],
    [new RingError("unavailable", "Nobody"), 5, "Nobody"],
    [new RingError("notFound", "Nothing"), 3, "Nothing"],
    [new RingError("failed", "No"), 1, "No"],
    [new RingError("unknown", "Perhaps"), 1, "Perhaps"],
    [new ServerError("noPrevious", "Alone"), 5, "Alone"],
    [new ServerError("address", "Taken"), 1, "Taken"],
    [new ServerError("store", "Locked"), 1, "Locked"],
    [new ServerError("disk", "Full"), 1, "Full"],
    [new ServerError("usage", "Wrong"), 2, "Wrong"],
    [new StoreOpenError("Shut"), 1, "Shut"],
    [new LocalError("Gone"), 1, "Gone"],
    [netRefused, 1, netText],
    [new ServerError("address", "Cannot listen", { cause: netRefused }), 1, netText],
    [
      new Deno.errors.NotCapable(
        'Requires sys access to "uid", run again with the --allow-sys flag',
      ),
      1,
      'This build of ring has no sys permission for "uid"; add --allow-sys to the permissions that ' +
      "`deno task compile` gives",
    ],
    [new RangeError("Oops"), 1, "internal error: RangeError: Oops"],
    ["a string", 1, "internal error: a string"],
  ] as const
) {
  const name = error instanceof Error ? `${error.name} "${error.message}"` : error;
  Deno.test(`describeFailure() ends with ${exitCode} after ${name.slice(0, 60)}`, () => {
    const failure = describeFailure(error);
    assertEquals([failure.exitCode, failure.message], [exitCode, message]);
  });
}

Deno.test("only an internal error has a stack to show", () => {
  assertEquals(typeof describeFailure(new RangeError("Oops")).stack, "string");
  assertEquals(describeFailure(new RingError("failed", "No")).stack, undefined);
});

Deno.test("localFailure() is a sentence for what the system says, and leaves the rest alone", () => {
  const missing = Object.assign(new Deno.errors.NotFound("x"), { code: "ENOENT" });
  const full = Object.assign(new Error("No space left on device (os error 28): write"), {
    code: "ENOSPC",
  });
  const ring = new RingError("unavailable", "Connection reset by peer (os error 104)");
  for (
    const [error, message] of [
      [missing, 'Cannot read "a": there is no such file or folder'],
      [full, 'Cannot read "a": no space left on device'],
      [ring, ring.message],
      [netRefused, netRefused.message],
    ] as const
  ) {
    const failure = localFailure(error, 'read "a"');
    assertEquals(failure instanceof Error && failure.message, message);
  }
});
