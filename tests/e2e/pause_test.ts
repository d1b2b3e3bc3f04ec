/** SIGSTOP: a server that is silent, although its host takes connections for it. */
import { assert, assertEquals } from "@std/assert";
import { waitForRing } from "./ring_process.ts";
import { testOnMachine } from "./test_on_machine.ts";

/** How long a ring may take to close over a silent server, in milliseconds. */
const closeMsMax = 20_000;

testOnMachine("the ring closes over a stopped server, which comes back later", async (machine) => {
  const [first, second, third] = await machine.startRing(3);
  assert(first && second && third);
  second.kill("SIGSTOP");
  // Asked while nobody knows that it is silent: answered when the others have given it up.
  const early = await first.runClient(["--put", "-", "--as", "early"], { stdin: "early" });
  assertEquals([early.stdout, early.stderr], ["put early 5 B, 2 copies\n", ""]);
  await waitForRing([first, third], { withinMs: closeMsMax });
  const late = await third.runClient(["--put", "-", "--as", "late"], { stdin: "late" });
  assertEquals([late.stdout, late.stderr], ["put late 4 B, 2 copies\n", ""]);

  second.kill("SIGCONT");
  // It answers from the first moment on with what it has missed.
  assertEquals((await second.runClient(["--get", "late"])).stdout, "late");
  await waitForRing([first, second, third], { withinMs: closeMsMax });
  assertEquals((await second.runClient(["--get", "early"])).stdout, "early");
  const again = await second.runClient(["--put", "-", "--as", "again"], { stdin: "again" });
  assertEquals(again.stdout, "put again 5 B, 3 copies\n");
});
