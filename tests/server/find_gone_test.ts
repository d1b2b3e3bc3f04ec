import { assertEquals } from "@std/assert";
import type { Member, MemberStatus } from "../../lib/ring/member.ts";
import { findGone } from "../../lib/server/find_gone.ts";

function memberOf(id: string, status: MemberStatus): Member {
  return { id, incarnation: 1, status, address: `10.0.0.1:${4000 + id.length}`, position: "00" };
}

Deno.test("findGone() finds one member that is gone, by its address or the first digits of its id", () => {
  const members = [
    memberOf("abcd1", "dead"),
    memberOf("abcd22", "left"),
    memberOf("beef333", "alive"),
    memberOf("cafe4444", "forgotten"),
  ];
  const cases: readonly [string, number, string | undefined][] = [
    ["abcd1", 200, "abcd1"],
    ["10.0.0.1:4006", 200, "abcd22"],
    ["abcd", 409, undefined],
    ["beef", 409, "beef333"],
    ["bee", 404, undefined],
    ["cafe", 404, undefined],
    ["", 404, undefined],
  ];
  for (const [text, status, id] of cases) {
    const answer = findGone(members, text);
    assertEquals([answer.status, answer.id], [status, id], text);
  }
});
