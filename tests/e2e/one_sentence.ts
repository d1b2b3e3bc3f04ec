/** What a person is told when something goes wrong. */
import { assertEquals, assertMatch } from "@std/assert";

/**
 * Asserts that `stderr` is one sentence for a person: one line, by `ring`, and no stack trace.
 *
 * @throws {AssertionError} if it is anything else.
 */
export function assertOneSentence(stderr: string): void {
  assertEquals(stderr.split("\n").length, 2, `one line, not:\n${stderr}`);
  assertMatch(stderr, /^ring: .*[^\s.]\n$/);
  assertEquals(/^ {4}at |internal error/m.exec(stderr), null, stderr);
}
