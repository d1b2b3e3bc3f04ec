/** A {@linkcode Backend} over a store in memory: a ring of one server, which a test can bring into any state. */
import { contentTypeOf } from "../../lib/protocol/content_type.ts";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { FileAnswer, StatusAnswer } from "../../lib/ring/request.ts";
import type { Stamp } from "../../lib/ring/stamp.ts";
import type { Ask } from "../../lib/ring/step.ts";
import type { Answered } from "../../lib/storage/answered.ts";
import { sha256Of } from "../../lib/storage/body.ts";
import { MemoryStore } from "../../lib/storage/memory_store.ts";
import type { BodyReader, ScanOptions } from "../../lib/storage/store.ts";
import { Activity } from "../../lib/web/activity.ts";
import type { Backend, Refusal, Upload } from "../../lib/web/backend.ts";

const encoder = new TextEncoder();

/** When the first file of a fake backend was put: Tue, 14 Nov 2023 22:13:20 GMT. */
export const firstPutMillis = 1_700_000_000_000;

/** One server without a ring. */
export class FakeBackend implements Backend {
  readonly id = "f".repeat(32);
  readonly bodies = new Map<string, Uint8Array>();
  readonly store = new MemoryStore(this.id, { bodies: this.bodies });
  readonly activity = new Activity();
  web = "http://127.0.0.1:8043/";
  files = "http://127.0.0.1:8043/";
  isCurrent = true;
  isStopping = false;
  filesVersion = 0;
  /** What each request asked of the ring. */
  readonly asked: Ask[] = [];
  /** How many bodies are open. */
  openBodies = 0;
  /** How often a body was opened. */
  bodiesOpened = 0;
  /** What the ring answers instead of what is in the store. */
  answer: Pick<FileAnswer, "status" | "error"> | undefined;
  /** Called before the ring answers. */
  beforeAnswer: (() => void) | undefined;
  /** What `putRefusal` returns. */
  refusal: Refusal | undefined;
  /** What `receiveRefusal` makes of an error. */
  refusalOf: (error: unknown) => Refusal | undefined = () => undefined;
  #millis = firstPutMillis;

  /** Stores a file, each a second after the one before. */
  put(name: string, content: string | Uint8Array, contentType = contentTypeOf(name)): FileRecord {
    const body = typeof content === "string" ? encoder.encode(content) : content;
    const { length: size } = body;
    const sha256 = sha256Of(body);
    const record = { name, sha256, size, contentType, stamp: this.#nextStamp() };
    if (size > inlineBytesMax) this.bodies.set(sha256, body);
    this.#write(size > inlineBytesMax ? { record } : { record, body });
    return record;
  }

  delete(name: string): void {
    this.#write({
      record: {
        ...{ name, stamp: this.#nextStamp(), sha256: "", size: 0, contentType: "" },
        deleted: true,
      },
    });
  }

  look(name: string): FileRecord | undefined {
    return this.store.look(name);
  }

  openBody(sha256: string): BodyReader | undefined {
    const reader = this.store.openBody(sha256);
    return reader && this.#count(reader);
  }

  list(options: ScanOptions): readonly FileRecord[] {
    return this.store.scan(options);
  }

  request(ask: Ask): Promise<Answered> {
    this.asked.push(ask);
    this.beforeAnswer?.();
    const { type, item } = ask;
    if (this.answer !== undefined) {
      return Promise.resolve({ answer: { type, item, ...this.answer } });
    }
    return Promise.resolve(this.#answer(ask));
  }

  putRefusal(): Refusal | undefined {
    return this.refusal;
  }

  receiveRefusal(error: unknown): Refusal | undefined {
    return this.refusalOf(error);
  }

  async receive(chunks: AsyncIterable<Uint8Array>, size?: number): Promise<Upload> {
    const writer = this.store.createBody();
    try {
      for await (const chunk of chunks) await writer.write(chunk);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    const upload = await writer.commit();
    return size === undefined ? upload : { ...upload, upload: "1" };
  }

  status(): StatusAnswer {
    return {
      ...{ type: "STATUS", status: 200, version: "0.1.0", id: this.id },
      ...{ address: "127.0.0.1:4043", members: [] },
      ...this.store.summary(),
    };
  }

  #answer(ask: Ask): Answered {
    const { type, item } = ask;
    const previous = this.look(item);
    const isThere = previous !== undefined && previous.deleted !== true;
    if (ask.type === "PUT") {
      const { sha256, size, contentType, body } = ask;
      const record = { name: item, sha256, size, contentType, stamp: this.#nextStamp() };
      this.#write({ record, ...(body === undefined ? {} : { body }) });
      return { answer: { type, item, status: isThere ? 200 : 201, copies: 3, ...pick(record) } };
    }
    if (!isThere) return { answer: { type, item, status: 404, error: "There is no such file" } };
    if (ask.type === "DELETE") {
      this.delete(item);
      return { answer: { type, item, status: 200, copies: 3 } };
    }
    const body = this.openBody(previous.sha256);
    const answer = { type, item, ...pick(previous) };
    if (body === undefined) return { answer: { type, item, status: 503, error: "It is lost" } };
    return { answer: { ...answer, status: 200 }, body };
  }

  #write(write: Parameters<MemoryStore["write"]>[0][number]): void {
    const [outcome] = this.store.write([write]);
    if (outcome?.outcome !== "stored") throw new Error(`Not stored: ${outcome?.outcome}`);
    this.filesVersion++;
    this.activity.noteStored(write.record, outcome.previous);
  }

  #nextStamp(): Stamp {
    const time = this.#millis.toString(16).padStart(12, "0");
    this.#millis += 1000;
    return `${time}-0000-${this.id}`;
  }

  #count(reader: BodyReader): BodyReader {
    this.openBodies++;
    this.bodiesOpened++;
    let isOpen = true;
    return {
      size: reader.size,
      ...(reader.bytes === undefined ? {} : { bytes: reader.bytes }),
      chunks: (...range) => reader.chunks(...range),
      close: () => {
        if (isOpen) this.openBodies--;
        isOpen = false;
        reader.close();
      },
    };
  }
}

function pick({ size, sha256, contentType, stamp }: FileRecord) {
  return { size, sha256, contentType, stamp };
}
