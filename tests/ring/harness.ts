/**
 * The harness: drives one `Node`, server A, in fake time, with its disk and its peers played here.
 *
 * What a step returns is frozen for good, so that a later change throws, and held against the rule that
 * comes before all others: what is told to other members has been saved. Members that are `answering`
 * acknowledge hops and answer CHECKs at once; the disk does what it is asked at once, unless it is
 * `held`. Everything else the test says itself.
 */
import { assert } from "@std/assert";
import type { Member, MemberId } from "../../lib/ring/member.ts";
import { Membership } from "../../lib/ring/membership.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { CollectAnswer, FileAnswer } from "../../lib/ring/request.ts";
import { Node, type NodeOptions } from "../../lib/ring/node.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import type { Ask, Effect, Input, Now, WriteOutcome } from "../../lib/ring/step.ts";
import { Disk } from "./disk.ts";
import { addressOf, idOf, memberOf, type Name, nameOf, sha256, visitsOf } from "./sample.ts";
import { SaveWatch } from "./save_watch.ts";

/** The wall clock when a test begins, in milliseconds since 1970. */
export const epochMs = Date.UTC(2026, 0, 1);

/** Effects that the disk, or the transfer of a body, answers. */
export type Job = Extract<Effect, { token: number }>;

/** A message of one type. */
export type MessageOf<T extends MemberMessage["type"]> = Extract<MemberMessage, { type: T }>;

/** An effect of one type. */
export type EffectOf<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** What a server is made of, where it is not as usual. */
export type ServerOptions = Partial<NodeOptions> & { disk?: Disk };

/** How many steps one `advance` may take: more is a busy loop. */
const stepsMax = 20_000;

/** Server A. */
export class Server {
  readonly node: Node;
  readonly disk: Disk;
  /** The members that answer CHECKs and acknowledge hops, at once. */
  readonly answering = new Set<Name>();
  /** What the disk does only when the test says so. */
  readonly held = new Set<Job["type"]>(["fetch"]);
  /** The milliseconds by which the wall clock has jumped. */
  wallJump = 0;
  #monotonic = 0;
  #wakeAt = Infinity;
  #lastLink = 0;
  #lastRequest = 0;
  #isDraining = false;
  #effects: Effect[] = [];
  #jobs: Job[] = [];
  readonly #inbox: (() => Input)[] = [];
  readonly #saves: SaveWatch;

  constructor({ disk = new Disk(), ...changes }: ServerOptions = {}) {
    this.disk = disk;
    const options: NodeOptions = {
      id: idOf("A"),
      address: addressOf("A"),
      stored: { incarnation: 0, members: [], highestStamp: stampZero },
      files: disk.digest,
      boot: "boot-A",
      sha256,
      ...changes,
    };
    this.node = new Node(options);
    this.#saves = new SaveWatch(options.stored);
  }

  /** The time of the next step. */
  get now(): Now {
    return { monotonic: this.#monotonic, wall: epochMs + this.#monotonic + this.wallJump };
  }

  /** What the server has on its own record. */
  get own(): Member | undefined {
    return this.member("A");
  }

  /** What the server knows of a member. */
  member(name: Name): Member | undefined {
    return this.node.members.find((member) => member.id === idOf(name));
  }

  /** The digest of the server's list. */
  get list(): string {
    const membership = new Membership(idOf("A"), sha256);
    membership.merge(this.node.members);
    return membership.digest;
  }

  /** The circle as text, from A on: `A B C`. */
  get circle(): string {
    return this.node.circle.map((member) => nameOf(member.id) ?? member.id).join(" ");
  }

  /** Hands in one input, and whatever follows at once from the disk and the answering members. */
  step(input: Input): void {
    this.#inbox.push(() => input);
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        this.#stepOnce(next());
      }
    } finally {
      this.#isDraining = false;
    }
  }

  start(): this {
    this.step({ type: "start" });
    return this;
  }

  /** Hears a message from another member. */
  hear(message: MemberMessage): void {
    this.step({ type: "message", link: ++this.#lastLink, message });
  }

  /** Hears an UPDATE with these records, from a member that passes it on as the last of a circle. */
  learn(from: Name, ...members: Member[]): void {
    const visited = visitsOf("stored", "B", "C", "D", "E", "F");
    const name = { creator: idOf(from), boot: "learn", sequence: ++this.#lastLink };
    const circle = { ...name, attempt: 0, visited };
    this.hear({ type: "UPDATE", ...envelope(from), hop: 1, circle, stamp: stampZero, members });
  }

  /** A client asks; returns the number of its request. */
  ask(ask: Ask): number {
    this.step({ type: "request", request: ++this.#lastRequest, ask });
    return this.#lastRequest;
  }

  /** A person asks that tombstones be dropped; returns the number of the request. */
  collect(): number {
    this.step({ type: "collect", request: ++this.#lastRequest });
    return this.#lastRequest;
  }

  /** A scrub has removed what was stored under these names; returns the number of its request. */
  damaged(...names: string[]): number {
    const files = this.disk.digest;
    this.step({ type: "damaged", request: ++this.#lastRequest, names, files });
    return this.#lastRequest;
  }

  /** The answer to a client; `undefined` if there is none yet. There is never a second one. */
  answerTo(request: number): FileAnswer | undefined {
    const answer = this.#answerTo(request);
    assert(answer?.type !== "GC", `request ${request} was answered as a GC`);
    return answer;
  }

  /** The answer to who asked that tombstones be dropped; `undefined` if there is none yet. */
  collectAnswerTo(request: number): CollectAnswer | undefined {
    const answer = this.#answerTo(request);
    if (answer === undefined) return undefined;
    assert(answer.type === "GC", `request ${request} was answered as ${answer.type}`);
    return answer;
  }

  /** What a scrub was told to be lost; `undefined` if it was not told yet. */
  lostOf(request: number): readonly string[] | undefined {
    return this.effectsOf("mended").find((effect) => effect.request === request)?.lost;
  }

  /** Lets time pass, and wakes the node whenever it asked for that. */
  advance(milliseconds: number): void {
    const until = this.#monotonic + milliseconds;
    for (let steps = 0; this.#wakeAt <= until; steps++) {
      assert(steps < stepsMax, `more than ${stepsMax} steps within ${milliseconds} ms`);
      this.#monotonic = Math.max(this.#monotonic, this.#wakeAt);
      this.#wakeAt = Infinity;
      this.step({ type: "wake" });
    }
    this.#monotonic = until;
  }

  /** Stops the server for a while, like SIGSTOP: nothing reaches the node until it is over. */
  stopFor(milliseconds: number): void {
    this.#monotonic += milliseconds;
  }

  /** Stops the server for a while; the first that it sees then is that its timer has come. */
  pause(milliseconds: number): void {
    this.stopFor(milliseconds);
    this.#wakeAt = Infinity;
    this.step({ type: "wake" });
  }

  /** Tells that a member's address could not be reached. */
  unreachable(name: Name, reason: "refused" | "closed"): void {
    this.step({ type: "unreachable", address: addressOf(name), reason });
  }

  /** Forgets the effects seen so far. */
  forget(): this {
    this.#effects = [];
    return this;
  }

  /** The effects since the last `forget`. */
  get effects(): readonly Effect[] {
    return this.#effects;
  }

  /** The effects of one type since the last `forget`. */
  effectsOf<T extends Effect["type"]>(type: T): readonly EffectOf<T>[] {
    return this.#effects.filter((effect): effect is EffectOf<T> => effect.type === type);
  }

  /** The messages of one type that left since the last `forget`, all or only those to one member. */
  sent<T extends MemberMessage["type"]>(type: T, to?: Name): readonly MessageOf<T>[] {
    return this.#effects.flatMap((effect) => {
      if (effect.type !== "send" && effect.type !== "reply") return [];
      const { message } = effect;
      if (!isOfType(message, type)) return [];
      const isTo = to === undefined || ("to" in message && message.to === idOf(to));
      return isTo ? [message] : [];
    });
  }

  /** To whom messages of one type were sent, in order: `B C B`. */
  receivers(type: MemberMessage["type"]): string {
    return this.sent(type)
      .map((message) => "to" in message ? nameOf(message.to) ?? message.to : "-")
      .join(" ");
  }

  /** What was held back and is still open. */
  jobs<T extends Job["type"]>(type: T): readonly Extract<Job, { type: T }>[] {
    return this.#jobs.filter((job): job is Extract<Job, { type: T }> => job.type === type);
  }

  /** Lets the disk do what was held back, in order. */
  release(...types: Job["type"][]): void {
    const done = this.#jobs.filter((job) => types.includes(job.type));
    for (const job of done) this.finish(job);
  }

  /** Lets the disk do one thing that was held back; it says `outcome` instead, if that is given. */
  finish(job: Job, outcome?: WriteOutcome): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.step(this.#perform(job, outcome));
  }

  /** Ends a fetch: the body is here, or nobody had it. */
  fetched(job: EffectOf<"fetch">, ok: boolean): void {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    if (ok) this.disk.bodies.add(job.record.sha256);
    this.step({ type: "fetched", token: job.token, ok });
  }

  #answerTo(request: number): FileAnswer | CollectAnswer | undefined {
    const answers = this.effectsOf("answer").filter((effect) => effect.request === request);
    assert(answers.length <= 1, `request ${request} was answered ${answers.length} times`);
    return answers[0]?.answer;
  }

  #stepOnce(input: Input): void {
    const effects = frozen(this.node.step(frozen(input), this.now));
    this.#saves.watch(effects);
    this.#effects.push(...effects);
    for (const effect of effects) this.#react(effect);
  }

  #react(effect: Effect): void {
    switch (effect.type) {
      case "wake":
        this.#wakeAt = effect.at;
        return;
      case "send":
        return this.#answerAs(effect.message);
      case "write":
      case "look":
      case "digest":
      case "compare":
      case "collect":
      case "fetch":
        if (this.held.has(effect.type)) this.#jobs.push(effect);
        else this.#inbox.push(() => this.#perform(effect));
    }
  }

  #answerAs(message: MemberMessage): void {
    if (message.type === "INSERT") return;
    const name = nameOf(message.to);
    if (name === undefined || !this.answering.has(name)) return;
    const back = envelope(name);
    const link = ++this.#lastLink;
    if (message.type === "CHECK") {
      const { sequence, list, files } = message;
      const answer = {
        type: "CHECKED" as const,
        ...back,
        sequence,
        list,
        files,
        wall: this.now.wall,
      };
      this.#inbox.push(() => ({ type: "message", link, message: answer }));
    } else if (message.type === "UPDATE" || message.type === "FORWARD") {
      const answer = { type: "ACK" as const, ...back, hop: message.hop };
      this.#inbox.push(() => ({ type: "message", link, message: answer }));
    }
  }

  #perform(job: Job, outcome?: WriteOutcome): Input {
    const { disk } = this;
    const { token } = job;
    switch (job.type) {
      case "write": {
        const written = outcome ?? disk.write(job.write);
        return { type: "written", token, outcome: written, files: disk.digest };
      }
      case "look": {
        const record = disk.records.get(job.item);
        return { type: "looked", token, ...(record === undefined ? {} : { record }) };
      }
      case "digest":
        return { type: "digested", token, digests: disk.digests };
      case "compare":
        return { type: "compared", token, ...disk.compare(job) };
      case "collect": {
        const dropped = disk.collect(job);
        return { type: "collected", token, dropped, files: disk.digest };
      }
      case "fetch":
        return { type: "fetched", token, ok: false };
    }
  }
}

/** From another member, to A. */
export function envelope(from: Name): { readonly from: MemberId; readonly to: MemberId } {
  return { from: idOf(from), to: idOf("A") };
}

/** A as the first server of a ring in which these are alive too, all of them answering. */
export function inRing(...others: Name[]): Server {
  return join(new Server(), others);
}

/** As {@linkcode inRing}, with another disk, or other options. */
export function inRingWith(options: ServerOptions, ...others: Name[]): Server {
  return join(new Server(options), others);
}

function join(server: Server, others: readonly Name[]): Server {
  server.start();
  for (const name of others) server.answering.add(name);
  const [first] = others;
  if (first !== undefined) server.learn(first, ...others.map((name) => memberOf(name)));
  return server.forget();
}

/** A started again, in its second life, in a ring with these members; it is joining. */
export function returning(...others: Member[]): Server {
  const members = [memberOf("A"), ...others];
  const server = new Server({ stored: { incarnation: 1, members, highestStamp: stampZero } });
  for (const { id } of others) {
    const name = nameOf(id);
    if (name !== undefined) server.answering.add(name);
  }
  return server.start();
}

/** The last of a list; throws if there is none. */
export function last<T>(list: readonly T[]): T {
  const item = list.at(-1);
  if (item === undefined) throw new Error("The list is empty: nothing of the kind has happened");
  return item;
}

/** Freezes a value and all in it but bodies, and returns it. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Object.isFrozen(value) || value instanceof Uint8Array) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

function isOfType<T extends MemberMessage["type"]>(
  message: MemberMessage,
  type: T,
): message is MessageOf<T> {
  return message.type === type;
}
