import { assert } from "@std/assert";
import { Attempts, attemptsMax, attemptsMs } from "../../lib/web/attempts.ts";

/** Attempts, of which a client has used up all. */
function spent(client: string): Attempts {
  const attempts = new Attempts();
  for (let count = 0; count < attemptsMax; count++) {
    assert(!attempts.areTooMany(client, 0));
    attempts.noteWrong(client, 0);
  }
  return attempts;
}

Deno.test("who has used too many wrong secrets waits until the minute is over, and nobody else", () => {
  const attempts = spent("10.0.0.1");
  assert(attempts.areTooMany("10.0.0.1", attemptsMs - 1));
  assert(!attempts.areTooMany("10.0.0.1", attemptsMs));
  assert(!attempts.areTooMany("10.0.0.2", 0));
});

Deno.test("the addresses of one network of IPv6, which one host may have, are one client", () => {
  const attempts = spent("2001:db8:1:2::3");
  assert(attempts.areTooMany("2001:db8:1:2:ffff::4", 0));
  assert(!attempts.areTooMany("2001:db8:1:3::3", 0));
  assert(spent("::ffff:10.0.0.1").areTooMany("10.0.0.1", 0));
});

Deno.test("of very many clients the one whose minute began first is forgotten", () => {
  const attempts = spent("10.0.0.1");
  for (let client = 1; client < 1000; client++) attempts.noteWrong(`client-${client}`, 0);
  assert(attempts.areTooMany("10.0.0.1", 0));
  attempts.noteWrong("client-1000", 0);
  assert(!attempts.areTooMany("10.0.0.1", 0));
});
