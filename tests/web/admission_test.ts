import { assertEquals } from "@std/assert";
import { Admission, networkOf } from "../../lib/web/admission.ts";

Deno.test("Admission lets so many in from one address, and others beside them", () => {
  const admission = new Admission({ connectionsMax: 8, perAddressMax: 2 });
  assertEquals(["a", "a", "a", "b"].map((address) => admission.enter(address)), [
    undefined,
    undefined,
    "connections_per_address",
    undefined,
  ]);
  admission.leave("a");
  assertEquals(admission.enter("a"), undefined);
  assertEquals(admission.enter("a"), "connections_per_address");
});

Deno.test("Admission lets so many in altogether; members of the ring beyond that", () => {
  const isMember = (address: string) => address === "member";
  const admission = new Admission({ connectionsMax: 3, perAddressMax: 2, isMember });
  assertEquals(["a", "b", "c"].map((address) => admission.enter(address)), [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(admission.isFull, true);
  assertEquals(["d", "member", "member", "member"].map((address) => admission.enter(address)), [
    "connections",
    undefined,
    undefined,
    "connections_per_address",
  ]);
  for (const address of ["a", "b", "member"]) admission.leave(address);
  assertEquals([admission.isFull, admission.enter("d")], [false, undefined]);
});

Deno.test("Admission lets half of all in from one address unless told otherwise", () => {
  const half = new Admission({ connectionsMax: 4 });
  assertEquals(
    ["a", "a", "a"].map((address) => half.enter(address)).at(-1),
    "connections_per_address",
  );
  const any = new Admission({ connectionsMax: 4, perAddressMax: 0 });
  assertEquals(["a", "a", "a", "a", "a"].map((address) => any.enter(address)), [
    ...Array.from({ length: 4 }, () => undefined),
    "connections",
  ]);
});

const networks: readonly (readonly [string, string])[] = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["2001:db8::9", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
];
for (const [address, network] of networks) {
  Deno.test(`networkOf() counts ${address} as ${network}`, () => {
    assertEquals(networkOf(address), network);
  });
}
