/**
 * Messages of every type, drawn from a seeded generator: what honest servers and clients could send.
 *
 * The ids, addresses and names are those of a {@linkcode Cast}, so that a message may be for a server that
 * runs, and from a member that it knows. Ten thousand a second would be too slow for a campaign: so this
 * draws little, and repeats long texts.
 */
import {
  bucketCount,
  bucketDigits,
  emptySha256,
  type FileRecord,
  pageRecordsMax,
} from "../../lib/ring/file_record.ts";
import { type Member, memberStatuses } from "../../lib/ring/member.ts";
import {
  type BodyMessage,
  type Circle,
  deeds,
  type Errand,
  type FetchAnswer,
  type FetchMessage,
  type MemberMessage,
} from "../../lib/ring/message.ts";
import { type ClientAnswer, type ClientRequest } from "../../lib/ring/request.ts";
import type { Random } from "../simulator/random.ts";

/** Who and what messages are about. */
export interface Cast {
  readonly ids: readonly string[];
  /** Whom messages are for. */
  readonly receivers: readonly string[];
  readonly addresses: readonly string[];
  readonly names: readonly string[];
}

/** A cast of nobody in particular. */
export const anybody: Cast = {
  ids: [..."0123456789abcdef"].map((digit) => digit.repeat(32)),
  receivers: ["a".repeat(32), "b".repeat(32)],
  addresses: ["127.0.1.1:4043", "[::1]:4044", "ring.example:65535"],
  names: ["index.html", "a/b/c.txt", "__proto__", "constructor", "ünïcode/☃", 'say "hello"', "😀"],
};

/** Anything that may stand in a frame. */
export type Message =
  | MemberMessage
  | ClientRequest
  | BodyMessage
  | FetchMessage
  | ClientAnswer
  | FetchAnswer;

const bodyBytesMax = 64;
const listLengthMax = 4;
/** How often a COMPARE is drawn, which is long. */
const compareChance = 0.01;
/** How often a list is as long as it may be. */
const fullListChance = 0.002;
const digests = "0123456789abcdef".repeat(4);
const buckets = "0".repeat(bucketCount * bucketDigits);
const sentences = ["", "It is full", 'with "quotes" and \u2028', "\ud800", "\u0000\u001b[2J"];
const types = ["", "text/html; charset=utf-8", 'a"b\\c'];

/** Draws messages. */
export class MessageMaker {
  readonly #random: Random;
  readonly #cast: Cast;

  constructor(random: Random, cast: Cast = anybody) {
    this.#random = random;
    this.#cast = cast;
  }

  /** Any message; the body of a FORWARD is in it, others are for the caller to add. */
  any(): Message {
    const { make } = this.#random.weighted<{ weight: number; make: () => Message }>([
      { weight: 6, make: () => this.member() },
      { weight: 2, make: () => this.request() },
      { weight: 2, make: () => this.#answer() },
    ]);
    return make();
  }

  /** What a client, or a server that is not in the ring's core, asks. */
  request(): ClientRequest | BodyMessage | FetchMessage {
    const item = this.name();
    switch (this.#random.integer(10)) {
      case 0:
        return { type: "GET", item };
      case 1:
        return { type: "PUT", item, size: this.#random.integer(bodyBytesMax) };
      case 2:
        return { type: "DELETE", item };
      case 3:
        return { type: "LIST", prefix: this.#maybe(item) ?? "", after: this.#maybe(item) ?? "" };
      case 4:
        return { type: "STATUS" };
      case 5:
        return { type: "GC" };
      case 6:
        return { type: "VERIFY" };
      case 7:
        return { type: "FORGET", member: this.#address() };
      case 8:
        return this.#body();
      default:
        return { type: "FETCH", sha256: this.digest() };
    }
  }

  /** What one server tells another. */
  member(): MemberMessage {
    const envelope = { from: this.id(), to: this.#random.pick(this.#cast.receivers) ?? "" };
    const sequence = this.count();
    const hop = this.count();
    if (this.#random.chance(compareChance)) return this.#compare(envelope);
    switch (this.#random.integer(15)) {
      case 0:
        return this.#insert();
      case 1:
        return { type: "INSERTED", ...envelope, stamp: this.stamp(), members: this.members() };
      case 2:
        return { type: "CHECK", ...envelope, sequence, ...this.#state() };
      case 3:
        return this.#with({ type: "CHECKED", ...envelope, sequence, ...this.#state() }, {
          members: this.members(),
        });
      case 4:
        return { type: "ASK", ...envelope, suspect: this.id() };
      case 5:
        return { type: "VOUCH", ...envelope, suspect: this.id() };
      case 6:
        return {
          ...{ type: "UPDATE" as const, ...envelope, hop, circle: this.circle() },
          ...{ stamp: this.stamp(), members: this.members() },
        };
      case 7:
      case 8:
      case 9:
        return { type: "FORWARD", ...envelope, hop, circle: this.circle(), ...this.#cargo() };
      case 10:
        return { type: "ACK", ...envelope, hop };
      case 11:
        return this.#with({
          type: "REPORT",
          ...envelope,
          circle: this.#circleName(),
          deed: this.#deed(),
        }, { members: this.members() });
      case 12:
        return this.#with({ type: "PAGE", ...envelope, sequence, records: this.#records() }, {
          next: this.name(),
          partial: true as const,
        });
      case 13:
        return { type: "MISSED", ...envelope };
      default:
        return this.#refuse(envelope);
    }
  }

  /** A member's id. */
  id(): string {
    return this.#random.pick(this.#cast.ids) ?? "";
  }

  /** A name that a file can have. */
  name(): string {
    return this.#random.pick(this.#cast.names) ?? "";
  }

  /** A number: mostly small, sometimes as large as one may be. */
  count(): number {
    return this.#random.chance(0.9) ? this.#random.integer(100) : Number.MAX_SAFE_INTEGER;
  }

  /** 64 digits. */
  digest(): string {
    const at = this.#random.integer(16);
    return (digests.slice(at) + digests).slice(0, 64);
  }

  /** A stamp, of any time. */
  stamp(): string {
    return `${this.#random.hex(12)}-${this.#random.hex(4)}-${this.id()}`;
  }

  /** A list of members. */
  members(): Member[] {
    return this.#some(() => this.#member());
  }

  /** The envelope of a circular message. */
  circle(): Circle {
    const visited = this.#some(() => ({ id: this.id(), deed: this.#deed() }));
    return { ...this.#circleName(), attempt: this.count(), visited };
  }

  /** A record of a file, or a tombstone. */
  record(size = this.count()): FileRecord {
    const record = { name: this.name(), stamp: this.stamp() };
    if (this.#random.chance(0.2)) {
      return { ...record, sha256: "", size: 0, contentType: "", deleted: true };
    }
    const contentType = this.#random.pick(types) ?? "";
    return { ...record, sha256: size === 0 ? emptySha256 : this.digest(), size, contentType };
  }

  #insert(): MemberMessage {
    const incarnation = this.count();
    const [address, position] = [this.#address(), this.#position()];
    return { type: "INSERT", from: this.id(), incarnation, address, position };
  }

  #refuse(envelope: { from: string; to: string }): MemberMessage {
    const status = this.#random.pick([403, 409, 421] as const) ?? 403;
    const [intended, error] = [this.#maybe(this.id()) ?? "", this.#sentence()] as const;
    return this.#with({ type: "REFUSE", ...envelope, status, intended, error }, {
      since: this.count(),
    });
  }

  #compare(envelope: { from: string; to: string }): MemberMessage {
    const [sequence, member] = [this.count(), this.#member()];
    const after = this.#maybe(this.name()) ?? "";
    return { type: "COMPARE", ...envelope, sequence, member, digests: buckets, after };
  }

  #body(): BodyMessage {
    const [from, to] = [this.id(), this.#random.pick(this.#cast.receivers) ?? ""];
    const visited = this.#some(() => this.id());
    return { type: "BODY", from, to, upload: "u1", visited, size: this.#random.integer(100) };
  }

  #cargo(): { errand: Errand; body?: Uint8Array } {
    const list = this.digest();
    switch (this.#random.integer(5)) {
      case 0:
        return { errand: { type: "FIND", item: this.name(), ...this.#found() } };
      case 1:
        return { errand: { type: "SURVEY", upTo: this.stamp(), surveys: this.#surveys() } };
      case 2:
        return { errand: { type: "COLLECT", upTo: this.stamp(), list } };
      case 3:
        return { errand: { type: "WRITE", record: this.record(), holder: this.id(), list } };
      default:
        return this.#write(list);
    }
  }

  /** A write with its body, whose hash is as good as any to a decoder. */
  #write(list: string): { errand: Errand; body?: Uint8Array } {
    const size = this.#random.integer(bodyBytesMax);
    const record = this.record(size);
    const errand = { type: "WRITE" as const, record, holder: this.id(), list };
    return record.deleted ? { errand } : { errand, body: new Uint8Array(size) };
  }

  #found() {
    if (this.#random.chance(0.5)) return {};
    return { found: { record: this.record(), holder: this.id() } };
  }

  #surveys() {
    const [list, files] = [this.digest(), this.digest()];
    return this.#some(() => ({ id: this.id(), list, files, isSettled: this.#random.chance(0.5) }));
  }

  #answer(): ClientAnswer | FetchAnswer {
    const [item, status] = [this.name(), this.#random.pick([200, 201, 404, 503]) ?? 200];
    const error = this.#sentence();
    switch (this.#random.integer(9)) {
      case 0:
        return { type: "GET", item, status: 200, size: this.#random.integer(bodyBytesMax) };
      case 1:
        return { type: "PUT", item, status, stamp: this.stamp(), copies: this.count() };
      case 2:
        return { type: "DELETE", item, status, error };
      case 3:
        return { type: "LIST", status: 200, files: this.#records(), next: item };
      case 4:
        return this.#status();
      case 5:
        return { type: "FORGET", status, id: this.id(), error };
      case 6:
        return { type: "VERIFY", status: 200, damaged: [item], damagedCount: this.count(), error };
      case 7:
        return { type: "FETCH", status: 404, sha256: this.digest(), error };
      default:
        return { type: "ERROR", status, error };
    }
  }

  #status(): ClientAnswer {
    const [id, address, digest] = [this.id(), this.#address(), this.digest()];
    const [files, bytes, members] = [this.count(), this.count(), this.members()];
    return {
      type: "STATUS",
      status: 200,
      version: "0.1.0",
      id,
      address,
      members,
      files,
      bytes,
      digest,
    };
  }

  #state() {
    return { list: this.digest(), files: this.digest(), wall: this.count() };
  }

  #circleName() {
    return { creator: this.id(), boot: "b00t", sequence: this.count() };
  }

  #member(): Member {
    const status = this.#random.pick(memberStatuses) ?? "alive";
    const [address, position] = [this.#address(), this.#position()];
    const member = { id: this.id(), incarnation: this.count(), status, address, position };
    return this.#random.chance(0.5) ? member : { ...member, web: "http://127.0.1.1:8043/" };
  }

  #records(): FileRecord[] {
    const length = this.#random.chance(fullListChance)
      ? pageRecordsMax
      : this.#random.integer(listLengthMax);
    const record = this.record();
    return Array.from({ length }, () => record);
  }

  #address(): string {
    return this.#random.pick(this.#cast.addresses) ?? "";
  }

  #position(): string {
    return this.#random.hex(2 * this.#random.integer(6));
  }

  #deed() {
    return this.#random.pick(deeds) ?? "stored";
  }

  #sentence(): string {
    return this.#random.pick(sentences) ?? "";
  }

  #some<Item>(make: () => Item): Item[] {
    return Array.from({ length: this.#random.integer(listLengthMax) }, make);
  }

  #maybe<Value>(value: Value): Value | undefined {
    return this.#random.chance(0.5) ? value : undefined;
  }

  /** An object with its optional fields, or without. */
  #with<Fields extends object, Optional extends object>(
    fields: Fields,
    optional: Optional,
  ): Fields & Partial<Optional> {
    return this.#random.chance(0.5) ? fields : { ...fields, ...optional };
  }
}
