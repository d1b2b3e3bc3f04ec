/**
 * The harness: drives one `Node`, server A, in fake time, with its disk and its peers played here.
 *
 * What a step returns is frozen for good, so that a later change throws, and held against the rule that
 * comes before all others: what is told to other members has been saved. Members that are `answering`
 * acknowledge hops and answer CHECKs at once; the disk does what it is asked at once, unless it is
 * `held`. Everything else the test says itself.
 */
import { assert } from "@std/assert";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { compareMember, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { Circle, FileAnswer, MemberMessage, Visit } from "../../lib/ring/message.ts";
import { Node, type NodeOptions } from "../../lib/ring/node.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import type { Ask, Effect, Input, Now, RecordWrite, WriteOutcome } from "../../lib/ring/step.ts";
import { addressOf, idOf, memberOf, type Name, nameOf, sha256, visitsOf } from "./sample.ts";

/** The wall clock when a test begins, in milliseconds since 1970. */
export const epochMs = Date.UTC(2026, 0, 1);

/** Effects that the disk, or the transfer of a body, answers. */
export type Job = Extract<Effect, { token: number }>;

/** A message of one type. */
export type MessageOf<T extends MemberMessage["type"]> = Extract<MemberMessage, { type: T }>;

/** An effect of one type. */
export type EffectOf<T extends Effect["type"]> = Extract<Effect, { type: T }>;

/** How many steps one `advance` may take: more is a busy loop. */
const stepsMax = 20_000;

/** A store in memory, as the core knows it. */
export class Disk {
  readonly records = new Map<string, FileRecord>();
  readonly bodies = new Set<string>();
  full = false;

  /** Puts a record there that the server has had all along. */
  add(record: FileRecord): void {
    this.records.set(record.name, record);
    this.bodies.add(record.sha256);
  }

  /** The digest of the files. */
  get digest(): string {
    return sha256(this.sorted.map((record) => `${record.name} ${record.stamp}`).join("\n"));
  }

  /** All records in the order of their names. */
  get sorted(): readonly FileRecord[] {
    return [...this.records.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Stores a record unless a newer one is there. */
  write({ record, body }: RecordWrite): WriteOutcome {
    const previous = this.records.get(record.name);
    if (previous !== undefined && previous.stamp >= record.stamp) {
      return { outcome: "superseded", previous };
    }
    const hasBody = record.deleted || body !== undefined || this.bodies.has(record.sha256);
    if (!hasBody) return { outcome: "bodyMissing" };
    if (this.full) return { outcome: "full" };
    this.add(record);
    return { outcome: "stored", ...(previous === undefined ? {} : { previous }) };
  }
}

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
  readonly #saved = new Map<MemberId, Member>();
  #savedIncarnation: number;

  constructor({ disk = new Disk(), ...changes }: Partial<NodeOptions> & { disk?: Disk } = {}) {
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
    this.#savedIncarnation = options.stored.incarnation;
    for (const member of options.stored.members) this.#saved.set(member.id, member);
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
    this.hear({ type: "UPDATE", ...envelope(from), hop: 1, circle, members });
  }

  /** A client asks; returns the number of its request. */
  ask(ask: Ask): number {
    this.step({ type: "request", request: ++this.#lastRequest, ask });
    return this.#lastRequest;
  }

  /** The answer to a request; `undefined` if there is none yet. There is never a second one. */
  answerTo(request: number): FileAnswer | undefined {
    const answers = this.effectsOf("answer").filter((effect) => effect.request === request);
    assert(answers.length <= 1, `request ${request} was answered ${answers.length} times`);
    return answers[0]?.answer;
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

  /** Stops the server for a while, like SIGSTOP: the node is woken only when it is over. */
  pause(milliseconds: number): void {
    this.#monotonic += milliseconds;
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

  #stepOnce(input: Input): void {
    const effects = frozen(this.node.step(frozen(input), this.now));
    this.#assertSaved(effects);
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
      case "scan":
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
      case "scan": {
        const after = disk.sorted.filter((record) => record.name > job.after);
        const records = after.slice(0, job.limit);
        const next = after.length > job.limit ? records.at(-1)?.name : undefined;
        return { type: "scanned", token, records, ...(next === undefined ? {} : { next }) };
      }
      case "fetch":
        return { type: "fetched", token, ok: false };
    }
  }

  /** What other members are told of the list is on the disk before. */
  #assertSaved(effects: readonly Effect[]): void {
    const lastSave = effects.findLastIndex((effect) => effect.type === "save");
    assert(lastSave <= 0, `a save comes only after ${lastSave} other effects of its step`);
    for (const effect of effects) {
      if (effect.type === "save") {
        this.#savedIncarnation = effect.incarnation;
        for (const member of effect.members) this.#saved.set(member.id, member);
      } else if (effect.type === "send" || effect.type === "reply") {
        this.#assertTold(effect.message);
      }
    }
  }

  #assertTold(message: MemberMessage): void {
    if (message.type === "INSERT") {
      const { incarnation } = message;
      assert(incarnation <= this.#savedIncarnation, `INSERT tells ${incarnation} before the save`);
    }
    const told = "members" in message ? message.members ?? [] : [];
    for (const member of told) {
      const saved = this.#saved.get(member.id);
      const isSaved = saved !== undefined && compareMember(member, saved) <= 0;
      assert(isSaved, `${message.type} tells of ${member.id} before the save`);
      if (member.id !== idOf("A")) continue;
      assert(member.incarnation <= this.#savedIncarnation, `${message.type} before the save`);
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

/** As {@linkcode inRing}; a write needs so many copies. */
export function inRingWith({ minCopies }: { minCopies: number }, ...others: Name[]): Server {
  return join(new Server({ minCopies }), others);
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

/** The visits of a circle as text: `A:passed B:stored`. */
export function path(circle: Circle): string {
  return circle.visited.map(({ id, deed }: Visit) => `${nameOf(id)}:${deed}`).join(" ");
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
