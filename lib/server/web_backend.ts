/** The server as its web front sees it. */
import type { FileRecord } from "../ring/file_record.ts";
import type { StatusAnswer } from "../ring/request.ts";
import type { Ask } from "../ring/step.ts";
import type { Answered } from "../storage/answered.ts";
import {
  type BodyReader,
  type ScanOptions,
  type Store,
  StoreFailedError,
} from "../storage/store.ts";
import type { Activity } from "../web/activity.ts";
import type { Backend, Refusal, Upload } from "../web/backend.ts";
import type { Driver } from "./driver.ts";
import { receiveBody } from "./receive_body.ts";
import { roomRefusal, stoppingRefusal, storeRefusal } from "./refusal.ts";
import type { Uploads } from "./uploads.ts";

/** What {@linkcode WebBackend} is made of. */
export interface WebBackendOptions {
  readonly web: string;
  readonly files: string;
  readonly driver: Driver;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly activity: Activity;
  readonly status: () => StatusAnswer;
  readonly isStopping: () => boolean;
  /** The disk failed. */
  readonly onFatal: (error: unknown) => void;
}

/** One server's backend. */
export class WebBackend implements Backend {
  readonly web: string;
  readonly files: string;
  readonly activity: Activity;
  readonly #options: WebBackendOptions;

  constructor(options: WebBackendOptions) {
    this.#options = options;
    this.web = options.web;
    this.files = options.files;
    this.activity = options.activity;
  }

  get isCurrent(): boolean {
    return this.#options.driver.isCurrent;
  }

  get isStopping(): boolean {
    return this.#options.isStopping();
  }

  get filesVersion(): number {
    return this.#options.driver.filesVersion;
  }

  look(name: string): FileRecord | undefined {
    return this.#guard(() => this.#options.store.look(name));
  }

  openBody(sha256: string): BodyReader | undefined {
    return this.#guard(() => this.#options.store.openBody(sha256));
  }

  list(options: ScanOptions): readonly FileRecord[] {
    return this.#guard(() => this.#options.store.scan(options));
  }

  request(ask: Ask): Promise<Answered> {
    return this.#options.driver.request(ask);
  }

  putRefusal(name: string, size = 0): Refusal | undefined {
    const { driver, store } = this.#options;
    if (this.isStopping) return stoppingRefusal;
    const lack = roomRefusal(this.#guard(() => store.lacksRoomFor(name, size)));
    if (lack !== undefined) {
      this.activity.refusals.note("room");
      return lack;
    }
    const error = driver.node.putRefusal;
    return error === undefined ? undefined : { status: 503, error };
  }

  receiveRefusal(error: unknown): Refusal | undefined {
    return storeRefusal(error);
  }

  async receive(chunks: AsyncIterable<Uint8Array>, size?: number): Promise<Upload> {
    try {
      return await this.#receive(chunks, size);
    } catch (error) {
      this.#judge(error);
      throw error;
    }
  }

  async #receive(chunks: AsyncIterable<Uint8Array>, size?: number): Promise<Upload> {
    const { uploads, store } = this.#options;
    if (size === undefined) return await receiveBody(store, chunks);
    const upload = uploads.name();
    return { ...await uploads.receive(chunks, { name: upload, size, visited: [] }), upload };
  }

  status(): StatusAnswer {
    return this.#options.status();
  }

  #guard<Value>(read: () => Value): Value {
    try {
      return read();
    } catch (error) {
      this.#judge(error);
      throw error;
    }
  }

  /** A disk that fails ends the server, whoever finds it out. */
  #judge(error: unknown): void {
    if (error instanceof StoreFailedError) this.#options.onFatal(error);
  }
}
