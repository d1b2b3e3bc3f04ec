/** The circles harness: the circles of A, in a ring with other members, and the hops that it sends. */
import { Circles, type Payload } from "../../lib/ring/circles.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { Circle } from "../../lib/ring/message.ts";
import { PartHarness } from "./part_harness.ts";
import { bodyOf, idOf, memberOf, type Name, nameOf, path, recordOf } from "./sample.ts";

/** What the circles carry. */
export const payload: Payload & { type: "FORWARD" } = {
  type: "FORWARD",
  errand: { type: "WRITE", record: recordOf("a", "text"), holder: idOf("A"), list: "" },
  body: bodyOf("text"),
};

export class CirclesHarness extends PartHarness {
  readonly returned: Circle[] = [];
  /** Whether each hop that was sent had the body with it. */
  readonly bodies: boolean[] = [];
  readonly circles: Circles;

  constructor(...others: (Name | Member)[]) {
    const members = others.map((other) => typeof other === "string" ? memberOf(other) : other);
    super(memberOf("A"), ...members);
    const { clock, effects, membership } = this;
    const onReturn = (circle: Circle) => this.returned.push(circle);
    this.circles = new Circles({
      self: idOf("A"),
      boot: "boot-A",
      membership,
      effects,
      clock,
      onReturn,
    });
  }

  /** Passes a circle; returns where its hops went, with the path behind them. */
  pass(circle: Circle): string[] {
    this.step(() => this.circles.pass(circle, payload));
    return this.hops();
  }

  /** The hops sent since the last time, like `to B after A:passed`. */
  hops(): string[] {
    return this.takeSent("FORWARD").map(({ to, circle, body }) => {
      this.bodies.push(body !== undefined);
      return `to ${nameOf(to)} after ${path(circle)}`;
    });
  }

  /** Lets time pass, then wakes the circles. */
  wake(milliseconds: number): string[] {
    this.step(() => this.circles.wake(), milliseconds);
    return this.hops();
  }

  /** Changes the list, then lets the circles find another way. */
  change(member: Member): string[] {
    this.membership.merge([member]);
    this.step(() => this.circles.reroute());
    return this.hops();
  }
}
