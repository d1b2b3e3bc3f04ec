/** What a connection reads from and writes to; a `Deno.Conn` is one. */
export interface ByteStream {
  /** Reads some bytes into `buffer`, and returns how many, or `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes, at least one, and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends reading and writing: what is pending fails. */
  close(): void;
  /** Tells the other side that no more will be written; reading goes on. */
  closeWrite?(): Promise<void>;
}

/** The connection is closed or broken: what was to be sent or received is lost. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}
