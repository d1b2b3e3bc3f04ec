import { assertEquals } from "@std/assert";
import { Circles } from "../../lib/ring/circles.ts";
import { Finder, findTimeoutMs, hasAskedAll, type Search } from "../../lib/ring/finder.ts";
import type { Circle, Errand, Find } from "../../lib/ring/message.ts";
import { resendMs, Rounds } from "../../lib/ring/rounds.ts";
import { last } from "./harness.ts";
import { PartHarness } from "./part_harness.ts";
import { circleOf, idOf, memberOf, type Name, path, recordOf, visitsOf } from "./sample.ts";

/** The finder of A, in a ring with other members, and what it found. */
class FinderHarness extends PartHarness {
  readonly finder: Finder;
  readonly searches: Search[] = [];
  readonly #rounds: Rounds;

  constructor(...others: Name[]) {
    super(memberOf("A"), ...others.map((name) => memberOf(name)));
    const { clock, effects, membership } = this;
    const self = idOf("A");
    const onReturn = () => {};
    const circles = new Circles({ self, boot: "boot-A", membership, effects, clock, onReturn });
    const rounds = this.#rounds = new Rounds({ self, membership, circles, effects });
    this.finder = new Finder({ self, membership, circles, rounds, effects });
  }

  search(own = false): Errand | undefined {
    const record = own ? recordOf("a", "mine") : undefined;
    this.step(() => this.finder.search("a", record, (search) => this.searches.push(search)));
    return this.takeSent("FORWARD").at(-1)?.errand;
  }

  comeBack(visited: Circle["visited"], found?: Find): void {
    const circle = { ...circleOf("A", { visited }), boot: "boot-A", sequence: 1 };
    const errand = { type: "FIND" as const, item: "a", ...(found === undefined ? {} : { found }) };
    this.step(() => this.#rounds.handleReturn(circle, errand));
  }

  wake(milliseconds: number): void {
    this.step(() => this.#rounds.wake(), milliseconds);
  }
}

const find: Find = { record: recordOf("a", "theirs"), holder: idOf("B") };

Deno.test("search() on a server that is alone finds what is here, at once", () => {
  const harness = new FinderHarness();
  assertEquals([harness.search(), harness.search(true)], [undefined, undefined]);
  const mine = { record: recordOf("a", "mine"), holder: idOf("A") };
  assertEquals(harness.searches, [
    { outcome: "known", find: undefined },
    { outcome: "known", find: mine },
  ]);
});

Deno.test("search() sends a FIND round with what is here, and finds what comes back", () => {
  const harness = new FinderHarness("B", "C");
  const found = { record: recordOf("a", "mine"), holder: idOf("A") };
  assertEquals(harness.search(true), { type: "FIND", item: "a", found });
  assertEquals(harness.searches, []);
  harness.comeBack(visitsOf("passed", "A", "B", "C"), find);
  assertEquals(harness.searches, [{ outcome: "known", find }]);
});

Deno.test("search() knows that there is nothing only from a circle that was everywhere", () => {
  const harness = new FinderHarness("B", "C");
  harness.search();
  harness.comeBack(visitsOf("passed", "A", "B"));
  harness.comeBack([...visitsOf("passed", "A", "B"), ...visitsOf("skipped", "C")], find);
  assertEquals(harness.searches, []);
  harness.comeBack(visitsOf("passed", "A", "C", "B"));
  assertEquals(harness.searches, [{ outcome: "known", find: undefined }]);
});

Deno.test("search() counts who was skipped by one and reached by another", () => {
  const harness = new FinderHarness("B", "C");
  harness.search();
  const skipped = { id: idOf("C"), deed: "skipped" as const, by: idOf("B") };
  harness.comeBack([...visitsOf("passed", "A", "B"), skipped, ...visitsOf("passed", "C")]);
  assertEquals(harness.searches.length, 1);
});

Deno.test("search() does not ask a member that has died since", () => {
  const harness = new FinderHarness("B", "C");
  harness.search();
  harness.membership.merge([memberOf("C", { status: "dead" })]);
  harness.comeBack(visitsOf("passed", "A", "B"));
  assertEquals(harness.searches.length, 1);
});

Deno.test("search() asks again every second, and does not know after findTimeoutMs", () => {
  const harness = new FinderHarness("B");
  harness.search();
  for (let at = resendMs; at < findTimeoutMs; at += resendMs) {
    harness.wake(resendMs);
    assertEquals(last(harness.takeSent("FORWARD")).circle.attempt, at / resendMs);
  }
  assertEquals(harness.searches, []);
  harness.wake(resendMs);
  const error = 'Cannot tell whether there is a file "a": not every server has answered';
  assertEquals(harness.searches, [{ outcome: "unknown", error }]);
});

Deno.test("handleFind() passes on when the disk has told what is here, not before", () => {
  const harness = new FinderHarness("B", "C");
  harness.step(() => harness.finder.handleFind(circleOf("C"), { type: "FIND", item: "a" }));
  assertEquals(harness.takeSent("FORWARD"), []);
  const record = recordOf("a", "mine");
  for (const { token } of harness.take("look")) harness.finish({ type: "looked", token, record });
  const { circle, errand } = last(harness.takeSent("FORWARD"));
  assertEquals(path(circle), "C:passed A:passed");
  assertEquals(errand, { type: "FIND", item: "a", found: { record, holder: idOf("A") } });
});

Deno.test("handleFind() leaves a record of the same stamp with who had it first", () => {
  const harness = new FinderHarness("B", "C");
  const errand = { type: "FIND" as const, item: "a", found: find };
  harness.step(() => harness.finder.handleFind(circleOf("C"), errand));
  const record = recordOf("a", "mine");
  for (const { token } of harness.take("look")) harness.finish({ type: "looked", token, record });
  assertEquals(last(harness.takeSent("FORWARD")).errand, errand);
});

Deno.test("hasAskedAll() holds when every live member was visited, and not merely skipped", () => {
  const cases: readonly [Name[], Name[], boolean][] = [
    [["A", "B", "C"], [], true],
    [["B", "C"], [], true],
    [["A", "B"], [], false],
    [["A", "B"], ["C"], false],
    [["A", "B", "C"], ["C"], true],
  ];
  const { membership } = new FinderHarness("B", "C");
  membership.merge([memberOf("D", { status: "dead" })]);
  for (const [visited, skipped, expected] of cases) {
    const visits = [...visitsOf("skipped", ...skipped), ...visitsOf("passed", ...visited)];
    assertEquals(hasAskedAll(circleOf("A", { visited: visits }), membership), expected);
  }
});
