/** Content: which form of a file a client gets, and where its bytes come from. */
import type { IncomingMessage } from "node:http";
import { BytesReader } from "../storage/body.ts";
import type { BodyReader } from "../storage/store.ts";
import type { Backend } from "./backend.ts";
import { acceptedCodings, type Coding, codings, isWorthCompressing } from "./coding.ts";
import { Compressor } from "./compressor.ts";
import type { ServedFile, Sidecars } from "./file_cache.ts";
import { type Representation, representCoded } from "./representation.ts";

/** A body that is in memory, is open, or is to be opened. */
export type Source =
  | { readonly bytes: Uint8Array }
  | Pick<ServedFile, "bytes" | "reader" | "record">;

/** A form of a file. */
export interface Content {
  readonly representation: Representation;
  readonly source: Source;
}

/** A file, and the compressed forms of it that were put beside it. */
export interface Forms {
  readonly file: ServedFile;
  readonly sidecars: Sidecars;
}

/** Selects forms, and makes those that are wanted and not there. */
export class ContentSelector {
  readonly #backend: Backend;
  readonly #cacheControl: string;
  readonly #compressor = new Compressor();

  constructor(backend: Backend, cacheControl: string) {
    this.#backend = backend;
    this.#cacheControl = cacheControl;
  }

  /**
   * The form that a client likes best of those that are there; `undefined` if it likes none. What it would
   * like better is made meanwhile, for the next one.
   */
  async select(request: IncomingMessage, forms: Forms): Promise<Content | undefined> {
    const { file } = forms;
    const asItIs = { representation: file.identity, source: file };
    const wishes = acceptedCodings(request.headers["accept-encoding"]);
    for (const wish of file.identity.isCompressible ? wishes : []) {
      const content = wish === "identity" ? asItIs : this.#find(forms, wish);
      if (content !== undefined) return content;
      if (wish !== "identity" && wish === wishes[0]) void this.#compress(file, wish);
    }
    if (wishes.includes("identity")) return asItIs;
    return await this.#make(forms, wishes);
  }

  /** A compressed form that is there. */
  #find({ file, sidecars }: Forms, coding: Coding): Content | undefined {
    const sidecar = sidecars[coding];
    if (sidecar === undefined) {
      const bytes = this.#compressor.get(file.record.sha256, coding);
      return bytes && this.#coded(file, { coding, bytes });
    }
    const { record, identity: { size } } = sidecar;
    const options = { coding, size, sidecar: record, cacheControl: this.#cacheControl };
    return { representation: representCoded(file.record, options), source: sidecar };
  }

  /** Makes a form for a client that does not take the file as it is, if it is one that can be made. */
  async #make({ file }: Forms, wishes: readonly string[]): Promise<Content | undefined> {
    if (!file.identity.isCompressible) return undefined;
    for (const coding of codings.filter((coding) => wishes.includes(coding))) {
      const bytes = await this.#compress(file, coding);
      if (bytes !== undefined) return this.#coded(file, { coding, bytes });
    }
    return undefined;
  }

  #coded(file: ServedFile, { coding, bytes }: { coding: Coding; bytes: Uint8Array }): Content {
    const options = { coding, size: bytes.length, cacheControl: this.#cacheControl };
    return { representation: representCoded(file.record, options), source: { bytes } };
  }

  async #compress(file: ServedFile, coding: Coding): Promise<Uint8Array | undefined> {
    const { sha256, size } = file.record;
    if (!isWorthCompressing(size)) return undefined;
    return await this.#compressor.compress({
      sha256,
      size,
      coding,
      open: () => openOwn(file, this.#backend),
    });
  }
}

/** Opens the body of a file for oneself: one that is open already is read by another. */
export function openOwn(file: ServedFile, backend: Backend): BodyReader | undefined {
  const { bytes, record } = file;
  return bytes === undefined ? backend.openBody(record.sha256) : new BytesReader(bytes);
}
