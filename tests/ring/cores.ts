/**
 * Cores: a whole ring of nodes in one process, in virtual time, over links that may fail one way.
 *
 * Small on purpose: every message takes 1 ms or never arrives, disks do at once what they are asked, and
 * nobody stops. What the simulator cannot pose exactly, one broken link and one request, is posed here.
 */
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { CollectAnswer, FileAnswer } from "../../lib/ring/request.ts";
import { Node } from "../../lib/ring/node.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import type { Ask, Effect, Input, Link } from "../../lib/ring/step.ts";
import { Disk } from "./disk.ts";
import { epochMs, type MessageOf } from "./harness.ts";
import { addressOf, idOf, memberOf, type Name, sha256 } from "./sample.ts";

/** A message that a core has sent, arrived or not. */
export interface Sent {
  readonly at: number;
  readonly from: Name;
  readonly to: Name;
  readonly message: MemberMessage;
}

interface Core {
  readonly name: Name;
  readonly node: Node;
  readonly disk: Disk;
  wakeAt: number;
}

interface Delivery {
  readonly at: number;
  readonly core: Core;
  readonly input: Input;
}

/** A ring of cores that know each other, and are alive. */
export class Cores {
  readonly sent: Sent[] = [];
  readonly answers = new Map<number, FileAnswer | CollectAnswer>();
  readonly #cores: readonly Core[];
  readonly #broken = new Set<string>();
  /** In the order of `at`, as every message takes equally long. */
  readonly #deliveries: Delivery[] = [];
  readonly #senders: Name[] = [];
  #now = 0;
  #lastRequest = 0;

  constructor(...names: Name[]) {
    const members = names.map((name) => memberOf(name));
    this.#cores = names.map((name) => {
      const disk = new Disk();
      const node = new Node({
        id: idOf(name),
        address: addressOf(name),
        stored: { incarnation: 1, members, highestStamp: stampZero },
        files: disk.digest,
        boot: `boot-${name}`,
        sha256,
      });
      return { name, node, disk, wakeAt: Infinity };
    });
    for (const core of this.#cores) this.#step(core, { type: "start" });
    this.run(1000);
    this.sent.length = 0;
  }

  /** Milliseconds since the ring began. */
  get now(): number {
    return this.#now;
  }

  /** From now on nothing that one sends to the other arrives. */
  breakLink(from: Name, to: Name): void {
    this.#broken.add(`${from}${to}`);
  }

  disk(name: Name): Disk {
    return this.#core(name).disk;
  }

  /** A client asks a server; returns the number of its request. */
  ask(name: Name, ask: Ask): number {
    this.#step(this.#core(name), { type: "request", request: ++this.#lastRequest, ask });
    return this.#lastRequest;
  }

  /** A person asks a server that tombstones be dropped; returns the number of the request. */
  collect(name: Name): number {
    this.#step(this.#core(name), { type: "collect", request: ++this.#lastRequest });
    return this.#lastRequest;
  }

  /** The hops that left since `from`, the tries of each among them. */
  forwards(from = 0): readonly (Sent & { readonly message: MessageOf<"FORWARD"> })[] {
    return this.sent.flatMap((sent) => {
      const { message } = sent;
      return sent.at >= from && message.type === "FORWARD" ? [{ ...sent, message }] : [];
    });
  }

  /** Lets time pass. */
  run(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const [first] = this.#deliveries;
      const core = this.#cores.reduce((a, b) => b.wakeAt < a.wakeAt ? b : a);
      const at = Math.min(first?.at ?? Infinity, core.wakeAt);
      if (at > until) break;
      this.#now = Math.max(this.#now, at);
      if (first !== undefined && first.at <= core.wakeAt) {
        this.#deliveries.shift();
        this.#step(first.core, first.input);
      } else {
        core.wakeAt = Infinity;
        this.#step(core, { type: "wake" });
      }
    }
    this.#now = until;
  }

  #step(core: Core, input: Input): void {
    const inputs = [input];
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      const now = { monotonic: this.#now, wall: epochMs + this.#now };
      for (const effect of core.node.step(next, now)) {
        const answer = this.#perform(core, effect);
        if (answer !== undefined) inputs.push(answer);
      }
    }
  }

  #perform(core: Core, effect: Effect): Input | undefined {
    const { disk } = core;
    switch (effect.type) {
      case "write": {
        const outcome = disk.write(effect.write);
        return { type: "written", token: effect.token, outcome, files: disk.digest };
      }
      case "look": {
        const record = disk.records.get(effect.item);
        return { type: "looked", token: effect.token, ...(record && { record }) };
      }
      case "digest":
        return { type: "digested", token: effect.token, digests: disk.digests };
      case "compare":
        return { type: "compared", token: effect.token, ...disk.compare(effect) };
      case "collect": {
        const dropped = disk.collect(effect);
        return { type: "collected", token: effect.token, dropped, files: disk.digest };
      }
      case "fetch":
        return this.#fetch(core, effect);
      case "send":
        this.#send(core, this.#at(effect.address), effect.message);
        return;
      case "reply":
        this.#send(core, this.#senders[effect.link], effect.message);
        return;
      case "answer":
        this.answers.set(effect.request, effect.answer);
        return;
      case "wake":
        core.wakeAt = effect.at;
    }
  }

  #fetch({ disk }: Core, { token, record, sources }: Extract<Effect, { type: "fetch" }>): Input {
    const holders = this.#cores.filter(({ name }) => sources.includes(addressOf(name)));
    const ok = holders.some((holder) => holder.disk.bodies.has(record.sha256));
    if (ok) disk.bodies.add(record.sha256);
    return { type: "fetched", token, ok };
  }

  #send(from: Core, to: Name | undefined, message: MemberMessage): void {
    if (to === undefined) return;
    this.sent.push({ at: this.#now, from: from.name, to, message });
    if (this.#broken.has(`${from.name}${to}`)) return;
    const link: Link = this.#senders.push(from.name) - 1;
    const input: Input = { type: "message", link, message };
    this.#deliveries.push({ at: this.#now + 1, core: this.#core(to), input });
  }

  #core(name: Name): Core {
    const core = this.#cores.find((core) => core.name === name);
    if (core === undefined) throw new Error(`There is no ${name} in this ring`);
    return core;
  }

  #at(address: string): Name | undefined {
    return this.#cores.find(({ name }) => addressOf(name) === address)?.name;
  }
}
