/**
 * A ring of production cores in virtual time, in which nothing takes time but hops and syncs: every
 * message takes equally long, and so does every write to a disk. Nothing fails.
 */
import { assert } from "../../lib/ring/assert.ts";
import type { Address } from "../../lib/ring/address.ts";
import type { Member } from "../../lib/ring/member.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { FileAnswer } from "../../lib/ring/request.ts";
import { Node } from "../../lib/ring/node.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import type { Ask, Effect, Input } from "../../lib/ring/step.ts";
import { Disk } from "../ring/disk.ts";
import { idOfNumber, putOf, sha256 } from "../ring/sample.ts";
import { EventQueue } from "../simulator/event_queue.ts";

/** The wall clock at the beginning, in milliseconds since 1970. */
const epochMs = Date.UTC(2026, 0, 1);
/** How long the ring is left to itself at first: every server has checked the next one. */
const settleMs = 5000;
/** How long a PUT may take. */
const answerMsMax = 10_000;

/** Times, in milliseconds. */
export interface VirtualTimes {
  readonly hopMs: number;
  readonly syncMs: number;
}

interface Core {
  readonly node: Node;
  readonly address: Address;
  readonly disk: Disk;
  /** Only the last alarm that was set rings. */
  alarm: number;
}

/** Servers that know each other, and are alive. */
export class VirtualRing {
  readonly #times: VirtualTimes;
  readonly #cores: readonly Core[];
  readonly #byAddress: ReadonlyMap<Address, Core>;
  readonly #queue = new EventQueue();
  /** From where a message came, by its link. */
  readonly #senders: Core[] = [];
  readonly #answers = new Map<number, FileAnswer>();
  #now = 0;
  #requests = 0;

  constructor(size: number, times: VirtualTimes) {
    this.#times = times;
    const members = Array.from({ length: size }, (_, index) => memberAt(index));
    this.#cores = members.map((member) => createCore(member, members));
    this.#byAddress = new Map(this.#cores.map((core) => [core.address, core]));
    for (const core of this.#cores) this.#step(core, { type: "start" });
    this.#runUntil(() => this.#now >= settleMs);
  }

  /** Puts a small file at the first server, and returns how long that takes, in milliseconds. */
  put(name: string): number {
    const [first] = this.#cores;
    assert(first !== undefined, "a ring without servers");
    const start = this.#now;
    const request = ++this.#requests;
    const ask: Ask = putOf(name, `${name} ${start}`);
    // What the client sends and gets takes a hop each.
    this.#later(this.#times.hopMs, () => this.#step(first, { type: "request", request, ask }));
    this.#runUntil(() => this.#answers.has(request) || this.#now > start + answerMsMax);
    const copies = this.#answers.get(request)?.copies;
    if (copies === this.#cores.length) return this.#now + this.#times.hopMs - start;
    throw new Error(`A PUT has ${copies} of ${this.#cores.length} copies`);
  }

  #step(core: Core, input: Input): void {
    const now = { monotonic: this.#now, wall: epochMs + Math.floor(this.#now) };
    for (const effect of core.node.step(input, now)) this.#perform(core, effect);
  }

  #perform(core: Core, effect: Effect): void {
    switch (effect.type) {
      case "write": {
        const { token, write } = effect;
        return this.#later(this.#times.syncMs, () => {
          const outcome = core.disk.write(write);
          this.#step(core, { type: "written", token, outcome, files: core.disk.digest });
        });
      }
      case "look": {
        const record = core.disk.records.get(effect.item);
        const input: Input = { type: "looked", token: effect.token, ...(record && { record }) };
        return this.#later(0, () => this.#step(core, input));
      }
      case "send":
        return this.#send(core, {
          to: this.#byAddress.get(effect.address),
          message: effect.message,
        });
      case "reply":
        return this.#send(core, { to: this.#senders[effect.link], message: effect.message });
      case "answer":
        if (effect.answer.type !== "GC") this.#answers.set(effect.request, effect.answer);
        return;
      case "wake":
        return this.#setAlarm(core, effect.at);
      case "digest": {
        const input: Input = { type: "digested", token: effect.token, digests: core.disk.digests };
        return this.#later(0, () => this.#step(core, input));
      }
      case "compare": {
        const { token } = effect;
        const input: Input = { type: "compared", token, ...core.disk.compare(effect) };
        return this.#later(0, () => this.#step(core, input));
      }
      case "collect":
      case "fetch":
      case "stop":
        throw new Error(`A ring in which nothing fails has to ${effect.type}`);
    }
  }

  #send(
    from: Core,
    { to, message }: { readonly to: Core | undefined; readonly message: MemberMessage },
  ): void {
    if (to === undefined) throw new Error(`A ${message.type} goes to nobody`);
    const link = this.#senders.push(from) - 1;
    this.#later(this.#times.hopMs, () => this.#step(to, { type: "message", link, message }));
  }

  #setAlarm(core: Core, at: number): void {
    const alarm = ++core.alarm;
    this.#later(Math.max(0, at - this.#now), () => {
      if (alarm === core.alarm) this.#step(core, { type: "wake" });
    });
  }

  #later(delayMs: number, run: () => void): void {
    this.#queue.push(this.#now + delayMs, run);
  }

  #runUntil(isDone: () => boolean): void {
    while (!isDone()) {
      const event = this.#queue.pop();
      if (event === undefined) throw new Error("Nothing more happens in the ring");
      this.#now = event.at;
      event.run();
    }
  }
}

function createCore(member: Member, members: readonly Member[]): Core {
  const disk = new Disk();
  const node = new Node({
    id: member.id,
    address: member.address,
    stored: { incarnation: 1, members, highestStamp: stampZero },
    files: disk.digest,
    boot: `boot-${member.id}`,
    sha256,
  });
  return { node, address: member.address, disk, alarm: 0 };
}

function memberAt(index: number): Member {
  return {
    id: idOfNumber(index + 1),
    incarnation: 1,
    status: "alive",
    address: `10.0.${index}.1:4043`,
    position: (index + 1).toString(16).padStart(4, "0"),
  };
}
