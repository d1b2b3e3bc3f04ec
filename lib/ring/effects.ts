/**
 * Effects: collects what a step wants done, and remembers what is to happen when it has been done.
 *
 * An effect that will be answered takes a continuation, kept under the effect's token. Continuations
 * live in memory only: what must survive a crash is in the store.
 */
import type { Address } from "./address.ts";
import { assert } from "./assert.ts";
import type { FileRecord } from "./file_record.ts";
import type { MemberMessage } from "./message.ts";
import type { CollectAnswer, FileAnswer } from "./request.ts";
import type { Stamp } from "./stamp.ts";
import type {
  Effect,
  Input,
  Link,
  Now,
  RecordWrite,
  RequestId,
  Token,
  WriteOutcome,
} from "./step.ts";

type Continuation = (answer: Input) => void;

/** What a step has decided so far. */
export class Effects {
  #effects: Effect[] = [];
  #lastToken: Token = 0;
  readonly #continuations = new Map<Token, Continuation>();
  #now: Now = { monotonic: 0, wall: 0 };

  /** The time of this step. */
  get now(): Now {
    return this.#now;
  }

  /** Begins a step. */
  begin(now: Now): void {
    this.#now = now;
    this.#effects = [];
  }

  /** Ends a step; `first` are performed before all others. */
  end(first: readonly Effect[]): readonly Effect[] {
    return first.length === 0 ? this.#effects : [...first, ...this.#effects];
  }

  /** Adds an effect that nothing answers. */
  add(effect: Exclude<Effect, { token: Token }>): void {
    this.#effects.push(effect);
  }

  send(address: Address, message: MemberMessage): void {
    this.add({ type: "send", address, message });
  }

  reply(link: Link, message: MemberMessage): void {
    this.add({ type: "reply", link, message });
  }

  answer(request: RequestId, answer: FileAnswer | CollectAnswer): void {
    this.add({ type: "answer", request, answer });
  }

  note(level: "info" | "warning", text: string): void {
    this.add({ type: "note", level, text });
  }

  write(write: RecordWrite, then: (outcome: WriteOutcome) => void): void {
    const token = this.#expect((input) => {
      assert(input.type === "written", `write ${token} was answered by ${input.type}`);
      then(input.outcome);
    });
    this.#effects.push({ type: "write", token, write });
  }

  look(item: string, then: (record: FileRecord | undefined) => void): void {
    const token = this.#expect((input) => {
      assert(input.type === "looked", `look ${token} was answered by ${input.type}`);
      then(input.record);
    });
    this.#effects.push({ type: "look", token, item });
  }

  digest(then: (digests: string) => void): void {
    const token = this.#expect((input) => {
      assert(input.type === "digested", `digest ${token} was answered by ${input.type}`);
      then(input.digests);
    });
    this.#effects.push({ type: "digest", token });
  }

  compare(
    what: { digests: string; after: string; limit: number },
    then: (records: readonly FileRecord[], next: string | undefined) => void,
  ): void {
    const token = this.#expect((input) => {
      assert(input.type === "compared", `compare ${token} was answered by ${input.type}`);
      then(input.records, input.next);
    });
    this.#effects.push({ type: "compare", token, ...what });
  }

  collect(what: { upTo: Stamp; limit: number }, then: (dropped: number) => void): void {
    const token = this.#expect((input) => {
      assert(input.type === "collected", `collect ${token} was answered by ${input.type}`);
      then(input.dropped);
    });
    this.#effects.push({ type: "collect", token, ...what });
  }

  /** `then` is told whether the body is here, and is given it if it is small. */
  fetch(
    what: { record: FileRecord; sources: readonly Address[]; upload?: string | undefined },
    then: (ok: boolean, body: Uint8Array | undefined) => void,
  ): void {
    const token = this.#expect((input) => {
      assert(input.type === "fetched", `fetch ${token} was answered by ${input.type}`);
      then(input.ok, input.body);
    });
    const { record, sources, upload } = what;
    this.#effects.push({
      type: "fetch",
      token,
      record,
      sources,
      ...(upload === undefined ? {} : { upload }),
    });
  }

  /** Hands the answer of an effect to its continuation. */
  resume(token: Token, answer: Input): void {
    const continuation = this.#continuations.get(token);
    assert(continuation !== undefined, `no effect ${token} is waiting for an answer`);
    this.#continuations.delete(token);
    continuation(answer);
  }

  #expect(continuation: Continuation): Token {
    const token = ++this.#lastToken;
    this.#continuations.set(token, continuation);
    return token;
  }
}
