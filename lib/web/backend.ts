/** The backend: what the web front asks of the server that it belongs to. */
import type { FileRecord } from "../ring/file_record.ts";
import type { StatusAnswer } from "../ring/request.ts";
import type { Ask } from "../ring/step.ts";
import type { Answered } from "../storage/answered.ts";
import type { BodyReader, ScanOptions } from "../storage/store.ts";
import type { Activity } from "./activity.ts";

/** A large body that is stored ahead of its record. */
export interface Upload {
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Names the transfer to the other servers, if the body went to them as well. */
  readonly upload?: string;
}

/** Why a write is not taken now. */
export interface Refusal {
  readonly status: 503 | 507;
  /** In one sentence. */
  readonly error: string;
}

/** The server behind a web front. */
export interface Backend {
  /** Where others find what is under `/_ring/`, as `http://host:port/`. */
  readonly web: string;
  /** Where they find the files: at the same address, unless `/_ring/` has a port of its own. */
  readonly files: string;
  /** Whether this server may answer from its own disk now. If not, ask the ring, by `request`. */
  readonly isCurrent: boolean;
  /** Whether the server finishes what it has, and is to be given nothing new. */
  readonly isStopping: boolean;
  /** Changes whenever a file may have changed: what `look` returned before may be outdated then. */
  readonly filesVersion: number;
  readonly activity: Activity;
  /** The record of a name on this server's disk, a tombstone too. Worth something only if `isCurrent`. */
  look(name: string): FileRecord | undefined;
  /** Opens a body of this server's disk; `undefined` if it is not there. */
  openBody(sha256: string): BodyReader | undefined;
  /** Records of this server's disk, in the order of the bytes of their names. */
  list(options: ScanOptions): readonly FileRecord[];
  /**
   * Asks the ring: reads what is not here, and writes. A PUT of up to `inlineBytesMax` bytes brings its
   * body; a larger one was given to `receive` before. Statuses are HTTP's: 200, 201, 404, 503, 504, 507.
   * Never rejects.
   */
  request(ask: Ask): Promise<Answered>;
  /**
   * Why a PUT of this name, and size if that is known, would be refused now, before its body is read;
   * `undefined` if it would not.
   */
  putRefusal(name: string, size?: number): Refusal | undefined;
  /** What to answer when `receive` has thrown this; `undefined` if it was the source that failed. */
  receiveRefusal(error: unknown): Refusal | undefined;
  /**
   * Stores a body as it arrives; with `size`, if that is known, it is passed on to the other servers
   * meanwhile. When the source or the store fails, nothing is left behind and the failure is thrown.
   */
  receive(chunks: AsyncIterable<Uint8Array>, size?: number): Promise<Upload>;
  /** The ring as this server sees it. */
  status(): StatusAnswer;
}
