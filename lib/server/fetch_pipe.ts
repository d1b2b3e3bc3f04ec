/**
 * A fetch pipe: one connection to one source of small bodies. They are asked for without waiting for
 * those before them, and come back in that order.
 *
 * So many answers arrive in one turn of the event loop, and what they bring is stored in one
 * transaction: with a round trip, and a transaction, for each, a server that joins would wait for most
 * of its time. How many are under way is bounded by the core (`smallFetchesMax`).
 */
import { logger } from "../log.ts";
import type { FrameConnection, Received } from "../protocol/connection.ts";
import { decodeReply } from "../protocol/decode.ts";
import { encodeRequest } from "../protocol/encode.ts";
import { ProtocolError } from "../protocol/protocol_error.ts";
import type { Address } from "../ring/address.ts";
import type { FileRecord } from "../ring/file_record.ts";
import { sha256Of } from "../storage/body.ts";
import type { Dialled, Dialler } from "./dialler.ts";
import { SilenceWatch } from "./silence.ts";

/** After how many looks, one a second, another source is tried: about when a server counts as dead. */
const silentLooksMax = 5;

const log = logger("fetch");

/**
 * A body; or `missing`, it cannot be had from this source; or `closed`, the other side ended a
 * connection that had worked, as it does when one was idle for long: a new one may bring it.
 */
export type Delivery = Uint8Array | "missing" | "closed";

interface Pending {
  readonly record: FileRecord;
  readonly settle: (delivery: Delivery) => void;
}

interface Opened extends Dialled {
  readonly silence: SilenceWatch;
}

/** Fetches small bodies from one server. */
export class FetchPipe {
  readonly #address: Address;
  readonly #dialler: Dialler;
  /** What has no answer yet, in the order in which it was asked for. */
  readonly #pending: Pending[] = [];
  /** `undefined` while it is being opened. */
  #opened: Opened | undefined;
  #hasAnswered = false;
  #isClosed = false;

  /** Opens a connection. */
  constructor(address: Address, dialler: Dialler) {
    this.#address = address;
    this.#dialler = dialler;
    this.#run().then(
      () => this.#end(this.#hasAnswered ? "closed" : "missing"),
      (error) => {
        log.debug(() => `cannot fetch from ${address}: ${String(error)}`);
        this.#end(this.#hasAnswered && !(error instanceof ProtocolError) ? "closed" : "missing");
      },
    );
  }

  /** Whether it has ended: nothing more can be fetched through it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** For how long nothing has been asked for, in milliseconds. */
  get idleForMs(): number {
    return this.#pending.length > 0 ? 0 : this.#opened?.stream.stillForMs ?? 0;
  }

  /** Fetches the body of a record that has a small one. Never rejects. */
  fetch(record: FileRecord): Promise<Delivery> {
    if (this.#isClosed) return Promise.resolve("missing");
    return new Promise((settle) => {
      this.#pending.push({ record, settle });
      if (this.#opened !== undefined) ask(this.#opened, record);
    });
  }

  /** Closes the connection; what is under way is `missing`. */
  close(): void {
    this.#end("missing");
  }

  async #run(): Promise<void> {
    const dialled = await this.#dialler.dial(this.#address);
    if (this.#isClosed) return dialled.connection.close();
    const silence = new SilenceWatch(dialled.connection, {
      looksMax: silentLooksMax,
      onSilence: () => this.close(),
    });
    this.#opened = { ...dialled, silence };
    for (const { record } of this.#pending) ask(this.#opened, record);
    await this.#receive(this.#opened);
  }

  async #receive({ connection, silence }: Opened): Promise<void> {
    for (
      let received = await connection.receive();
      received !== undefined;
      received = await connection.receive()
    ) {
      const [first] = this.#pending;
      if (first === undefined) throw new ProtocolError(400, "An answer to no FETCH");
      const delivery = await receiveBody(connection, { received, record: first.record });
      this.#hasAnswered = true;
      // Unless it was closed meanwhile, and all have been told.
      if (this.#pending[0] === first) this.#pending.shift();
      first.settle(delivery);
      if (this.#pending.length > 0) silence.expect();
    }
  }

  #end(delivery: Delivery): void {
    this.#isClosed = true;
    this.#opened?.silence.stop();
    this.#opened?.connection.close();
    for (const { settle } of this.#pending.splice(0)) settle(delivery);
  }
}

function ask({ connection, silence }: Opened, { sha256 }: FileRecord): void {
  // Whoever receives finds out that the connection has broken.
  connection.send(encodeRequest({ type: "FETCH", sha256 })).catch(() => {});
  silence.expect();
}

/** Takes the answer to a FETCH; another server's word for a hash is not enough. */
async function receiveBody(
  connection: FrameConnection,
  { received, record: { sha256, size } }: { received: Received; record: FileRecord },
): Promise<Delivery> {
  const answer = decodeReply(received.value, received.size);
  if (answer.type !== "FETCH" || answer.sha256 !== sha256) {
    throw new ProtocolError(400, `A ${answer.type} that does not answer a FETCH`);
  }
  if (answer.status !== 200) return "missing";
  if (received.size !== size) {
    throw new ProtocolError(400, `A body of ${received.size} bytes, where ${size} were due`);
  }
  const body = await connection.readBody(size);
  if (sha256Of(body) !== sha256) {
    throw new ProtocolError(400, "A body that has another hash than was asked for");
  }
  return body;
}
