/**
 * One life of a simulated server: the core, and a shell that performs its effects in virtual time.
 *
 * Inputs queue, and the next is handed in only when all effects of the step before are performed, as
 * the contract in `lib/ring/step.ts` says. Whatever is not on the disk dies with the process: the
 * core, the queue, the writes that wait for a sync. While it is paused inputs pile up, and it takes
 * them all when it resumes, as a stopped process does.
 */
import type { Address } from "../../lib/ring/address.ts";
import { hasLargeBody } from "../../lib/ring/file_record.ts";
import { isLive, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { CollectAnswer, FileAnswer } from "../../lib/ring/request.ts";
import type { NodeOptions } from "../../lib/ring/node.ts";
import type { Ask, Effect, Input, Link, RequestId } from "../../lib/ring/step.ts";
import { Bounds } from "./bounds.ts";
import type { Clock } from "./clock.ts";
import type { Core } from "./core.ts";
import { sha256 } from "./disk.ts";
import { assertCheck, SimulationFailure } from "./failure.ts";
import type { Endpoint } from "./network.ts";
import { fetchBody } from "./transfer.ts";
import type { Random } from "./random.ts";
import { Requests } from "./requests.ts";
import { sealed } from "./sealed.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";
import { Writer } from "./writer.ts";

/** How late a timer may be, in milliseconds. */
const timerLateMsMax = 4;
/** How often a step is followed by a `wake` that nobody asked for. */
const spuriousWakeChance = 0.01;
/** The most inputs that may wait. */
const inboxMax = 50_000;

/** Why a core stops itself. */
export type StopReason = Extract<Effect, { type: "stop" }>["reason"];

/** How a process is started. */
export interface ProcessOptions {
  readonly world: World;
  readonly server: Server;
  readonly clock: Clock;
  readonly random: Random;
  readonly previous?: Address;
}

/** One life of a server, from its start to its end. */
export class Process implements Endpoint {
  readonly address: Address;
  readonly id: MemberId;
  readonly boot: string;
  readonly startedAt: number;
  /** The members that it remembered when it started. */
  readonly remembered: readonly Member[];
  readonly #options: ProcessOptions;
  readonly #core: Core;
  readonly #writer: Writer;
  readonly #inbox: Input[] = [];
  readonly #requests: Requests;
  readonly #bounds: Bounds;
  #isBusy = false;
  #wakeTimer = 0;
  /** Ends in the middle of a step, after this many more effects. */
  #effectsLeft = Infinity;
  state: "running" | "paused" | "ended" = "running";
  isLeaving = false;
  /** Why the core stopped itself, if it did. */
  endedAs: StopReason | undefined;
  /** When it last was paused or resumed. */
  disturbedAt = -Infinity;

  constructor(options: ProcessOptions) {
    const { world, server, random, previous } = options;
    this.#options = options;
    this.address = server.address;
    this.id = server.disk.id;
    this.boot = random.hex(16);
    this.startedAt = world.now;
    const { disk } = server;
    const stored = disk.load();
    this.remembered = stored.members;
    const nodeOptions: NodeOptions = {
      id: this.id,
      address: this.address,
      stored: sealed({ ...stored, members: [...stored.members] }),
      files: disk.digest,
      boot: this.boot,
      sha256,
      minCopies: world.minCopies,
      ...(previous !== undefined && { previous }),
    };
    this.#bounds = new Bounds(world, server.name);
    this.#requests = new Requests(world, { server, process: this });
    this.#writer = new Writer({
      world,
      server,
      random,
      log: (text) => this.#log(text),
      onWritten: (written) => this.#enqueue(written),
      onFailure: () => {
        world.statistics.countSituation("a server stops as its disk fails");
        this.#end({ flushes: random.chance(0.5) });
      },
    });
    this.#core = this.#guard(() => world.createCore(nodeOptions));
  }

  /** Every member that the core knows, in the order of the circle from this server on. */
  get members(): readonly Member[] {
    return this.#guard(() => this.#core.members);
  }

  /** Whether it runs, and its own list says that it is alive. */
  get isAlive(): boolean {
    return this.state === "running" && !this.isLeaving &&
      this.members.some((member) => member.id === this.id && member.status === "alive");
  }

  /** Whether a write that a client asked for here has not been answered. */
  get hasWriteInFlight(): boolean {
    return this.#requests.areWriting;
  }

  /** Whether a write to a file has not been answered that was asked for by then. */
  isWriting(item: string, at: number): boolean {
    return this.#requests.isWriting(item, at);
  }

  start(): void {
    this.#options.world.network.listen(this);
    this.#enqueue({ type: "start" });
  }

  handleMessage(link: Link, message: MemberMessage): void {
    this.#enqueue({ type: "message", link, message });
  }

  handleUnreachable(address: Address, reason: "refused" | "closed"): void {
    this.#enqueue({ type: "unreachable", address, reason });
  }

  /** A client asks; `onAnswer` is called at most once, with `closed` if the process ends first. */
  ask(ask: Ask, onAnswer: (answer: FileAnswer | "closed") => void): void {
    const { world, server } = this.#options;
    const knew = {
      stamp: server.disk.look(ask.item)?.stamp,
      live: this.#liveIds(),
      clockError: server.wall.error(world.now),
    };
    const request = this.#requests.add({ ask, askedAt: world.now, knew, onAnswer });
    this.#enqueue({ type: "request", request, ask });
  }

  /** Ids of the members that the core holds live. */
  #liveIds(): ReadonlySet<MemberId> {
    return new Set(this.members.filter(isLive).map(({ id }) => id));
  }

  /** A person says that a member will not come back. */
  forget(member: MemberId): void {
    this.#enqueue({ type: "forget", member });
  }

  /** A person wants tombstones dropped. */
  collect(): void {
    this.#enqueue({ type: "collect", request: this.#requests.name() });
  }

  /** Looks whether all is there that was stored. */
  scrub(): void {
    const { disk } = this.#options.server;
    const names = [...disk.damaged];
    if (names.length === 0 || this.state !== "running") return;
    this.#log(`finds ${names.length} damaged`);
    this.#enqueue({ type: "damaged", request: this.#requests.name(), names, files: disk.digest });
  }

  /** Asks the process to leave the ring; it ends when the core says so. */
  leave(): void {
    if (this.isLeaving) return;
    this.isLeaving = true;
    this.#enqueue({ type: "leave" });
  }

  pause(): void {
    if (this.state !== "running") return;
    this.state = "paused";
    this.disturbedAt = this.#options.world.now;
    this.#log("is paused");
  }

  resume(): void {
    if (this.state !== "paused") return;
    this.state = "running";
    this.disturbedAt = this.#options.world.now;
    this.#log(`resumes, with ${this.#inbox.length} inputs waiting`);
    this.#drain();
  }

  /** Ends the process (kill -9) when it has performed so many effects more; at once with 0. */
  kill(effectsLeft = 0): void {
    if (effectsLeft > 0) this.#effectsLeft = effectsLeft;
    else this.#die();
  }

  #die(): void {
    const { random } = this.#options;
    if (this.state === "ended") return;
    this.#log("is killed");
    this.#writer.kill();
    this.#end({ flushes: random.chance(0.5) });
  }

  #end({ flushes }: { flushes: boolean }): void {
    const { world, server } = this.#options;
    this.state = "ended";
    this.#writer.close();
    world.network.hangUp(this, { flushes });
    world.checks.onEnd(server, this);
    this.#requests.close();
  }

  #enqueue(input: Input): void {
    if (this.state === "ended") return;
    assertCheck(
      this.#inbox.length < inboxMax,
      "bounded",
      () => `${this.#options.server.name} has ${inboxMax} inputs waiting`,
    );
    this.#inbox.push(input);
    if (this.state === "running" && !this.#isBusy) this.#drain();
  }

  #drain(): void {
    this.#isBusy = true;
    while (this.state === "running") {
      const input = this.#inbox.shift();
      if (input === undefined) break;
      this.#step(input);
    }
    this.#isBusy = false;
  }

  #step(input: Input): void {
    const { world, server, clock, random } = this.#options;
    this.#bounds.countStep();
    if ("token" in input) this.#bounds.countAnswer();
    world.checks.onInput(server, input);
    this.#log(() => `< ${world.trace.input(input)}`);
    const effects = sealed(this.#guard(() => this.#core.step(input, clock.now(world.now))));
    this.#bounds.countEffects(effects);
    for (const effect of effects) {
      if (this.#effectsLeft-- <= 0) {
        world.statistics.countSituation("a server dies in the middle of a step");
        return this.#die();
      }
      this.#perform(effect);
      if (this.state === "ended") return;
    }
    if (random.chance(spuriousWakeChance)) {
      world.schedule(random.between(1, 100), () => this.#enqueue({ type: "wake" }));
    }
  }

  #perform(effect: Effect): void {
    const { world, server } = this.#options;
    const { disk } = server;
    switch (effect.type) {
      case "save":
        this.#log(() => `save ${effect.incarnation} [${world.trace.list(effect.members)}]`);
        return this.#writer.save(effect);
      case "write":
        world.checks.onWrite(server, effect.write);
        return this.#writer.write(effect);
      case "look": {
        world.checks.onLook(server, effect.item);
        const record = disk.look(effect.item);
        return this.#enqueue({ type: "looked", token: effect.token, ...(record && { record }) });
      }
      case "digest": {
        const { digests } = disk;
        return this.#enqueue({ type: "digested", token: effect.token, digests });
      }
      case "compare":
        return this.#enqueue({ type: "compared", token: effect.token, ...disk.compare(effect) });
      case "collect":
        return this.#collect(effect);
      case "mended":
        return this.#mended(effect);
      case "refused":
        return;
      case "fetch":
        return this.#fetch(effect);
      case "send":
        this.#log(() => `> ${effect.address} ${world.trace.message(effect.message)}`);
        world.checks.onSend(server, effect.message);
        return world.network.send(this, effect.address, effect.message);
      case "reply":
        this.#log(() => `> link ${effect.link} ${world.trace.message(effect.message)}`);
        world.checks.onSend(server, effect.message);
        return world.network.reply(this, effect.link, effect.message);
      case "answer":
        return this.#answer(effect.request, effect.answer);
      case "wake":
        return this.#setTimer(effect.at);
      case "circle":
        return this.#log(() => `circle [${world.trace.list(effect.members)}]`);
      case "note":
        return this.#log(`note: ${effect.text}`);
      case "stop":
        this.#log(`stops, ${effect.reason}: ${effect.text}`);
        world.checks.onStop(server, effect.reason);
        this.endedAs = effect.reason;
        return this.#end({ flushes: true });
    }
  }

  #fetch(effect: Extract<Effect, { type: "fetch" }>): void {
    const { world, server } = this.#options;
    this.#log(() => `fetch "${effect.record.name}" from ${effect.sources.join(" ") || "nobody"}`);
    fetchBody(world, { effect, process: this, disk: server.disk }, (body) => {
      const isSmall = !hasLargeBody(effect.record);
      world.statistics.countSituation(body ? "a body is fetched" : "a body is fetched in vain");
      this.#enqueue({
        type: "fetched",
        token: effect.token,
        ok: body !== undefined,
        ...(body !== undefined && isSmall && { body }),
      });
    });
  }

  #collect({ token, upTo, limit }: Extract<Effect, { type: "collect" }>): void {
    const { world, server } = this.#options;
    const dropped = server.disk.collect({ upTo, limit });
    for (const { name, stamp } of dropped) {
      this.#log(`drops the tombstone of "${name}" ${world.trace.stamp(stamp)}`);
    }
    world.checks.onDropped(server, { upTo, dropped });
    const files = server.disk.digest;
    this.#enqueue({ type: "collected", token, dropped: dropped.length, files });
  }

  #mended({ lost }: Extract<Effect, { type: "mended" }>): void {
    const { world, server: { disk } } = this.#options;
    const whole = [...disk.damaged].filter((name) => !lost.includes(name));
    for (const name of whole) {
      const record = disk.look(name);
      // A record that is still missing was known to nobody else: the digests tell of others.
      if (record !== undefined && !record.deleted && !disk.hasBody(record.sha256)) continue;
      disk.damaged.delete(name);
      world.statistics.countSituation("what was damaged is whole again");
    }
  }

  #answer(request: RequestId, answer: FileAnswer | CollectAnswer): void {
    const { world } = this.#options;
    if (answer.type === "GC") {
      this.#log(() => `answer GC ${answer.status} ${answer.error ?? answer.dropped}`);
      if (answer.status === 200) world.statistics.countSituation("a GC is answered 200");
      if (answer.status === 409) world.statistics.countSituation("a GC is answered 409");
      return;
    }
    this.#log(() => `answer ${answer.type} "${answer.item}" ${answer.status}`);
    if (this.#requests.isBodyLost(request, answer)) {
      const { item } = answer;
      this.#enqueue({ type: "request", request, ask: { type: "GET", item, bodyLost: true } });
    } else this.#requests.end(request, answer);
  }

  #setTimer(at: number): void {
    const { world, clock, random } = this.#options;
    const timer = ++this.#wakeTimer;
    const late = random.between(0, timerLateMsMax);
    world.schedule(Math.max(0, clock.worldTime(at) - world.now) + late, () => {
      if (timer === this.#wakeTimer) this.#enqueue({ type: "wake" });
    });
  }

  #log(text: string | (() => string)): void {
    const { world, server } = this.#options;
    world.trace.line(world.now, server.name, typeof text === "string" ? text : text());
  }

  /** Runs the core; what it throws is an assertion of its own that did not hold. */
  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (cause) {
      if (cause instanceof SimulationFailure) throw cause;
      const message = `The core of ${this.#options.server.name} threw: ${String(cause)}`;
      throw new SimulationFailure("throws", message, { cause });
    }
  }
}
