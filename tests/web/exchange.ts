/**
 * Exchanges: requests sent over a socket as bytes, and answers read as they come. No HTTP client is between
 * a test and the web front, so that what such a client would hide, or refuse to send, can be tested.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How long an answer may take, in milliseconds. */
const answerTimeoutMs = 10_000;

/** An answer, as it came. */
export interface HttpAnswer {
  readonly status: number;
  /** Header fields in their order, with their names in lower case. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** The body as text. */
  readonly text: string;
  /** The statuses of interim answers, such as 100, that came before. */
  readonly interim: readonly number[];
  /** The value of a header field, of several joined by `, `; `undefined` if there is none. */
  header(name: string): string | undefined;
}

/** A request to be sent. */
export interface HttpRequest {
  /** `GET` if absent. */
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with a `Content-Length`. */
  readonly body?: Uint8Array | string;
  /** `1.1` if absent. */
  readonly version?: string;
}

/** Sends one request on a connection of its own, and reads the answer to its end. */
export async function ask(port: number, request: HttpRequest | string): Promise<HttpAnswer> {
  using connection = await HttpConnection.open(port);
  return await connection.ask(typeof request === "string" ? { target: request } : request);
}

/** One connection to a web front. */
export class HttpConnection {
  readonly #socket: Deno.TcpConn | Deno.TlsConn;
  #received = new Uint8Array(0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOpen = true;

  private constructor(socket: Deno.TcpConn | Deno.TlsConn) {
    this.#socket = socket;
  }

  static async open(port: number, hostname = "127.0.0.1"): Promise<HttpConnection> {
    return new HttpConnection(await Deno.connect({ hostname, port }));
  }

  /** Opens one that is encrypted, to a web front that shows a certificate of this authority. */
  static async openTls(port: number, authority: string): Promise<HttpConnection> {
    const options = { hostname: "127.0.0.1", port, caCerts: [authority] };
    return new HttpConnection(await Deno.connectTls(options));
  }

  /** Sends a request and reads its answer; the connection can be used again. */
  async ask(request: HttpRequest): Promise<HttpAnswer> {
    await this.send(encodeRequest(request));
    return await this.receive(request.method);
  }

  /** Sends bytes as they are. */
  async send(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#socket.write(bytes.subarray(sent));
    }
  }

  /** Reads an answer; whether it has a body depends on the method of the request. */
  async receive(method = "GET"): Promise<HttpAnswer> {
    this.#timer = setTimeout(() => this.close(), answerTimeoutMs);
    try {
      return await this.#receive(method);
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Reads the head of an answer, not its body, nor interim answers as such. */
  async receiveHead(): Promise<{ status: number; fields: HttpAnswer["fields"] }> {
    const head = await this.#readUntil("\r\n\r\n");
    const [line = "", ...fields] = head.split("\r\n");
    return { status: Number(line.split(" ")[1]), fields: fields.map(splitField) };
  }

  /** Reads some bytes; `undefined` when the other side has ended the connection. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#received.length > 0) return this.#take(this.#received.length);
    const chunk = new Uint8Array(64 * 1024);
    const count = await this.#socket.read(chunk).catch(endOfReset);
    return count === null ? undefined : chunk.subarray(0, count);
  }

  /** Whether the other side ends the connection without sending anything more. */
  async isEnded(): Promise<boolean> {
    return await this.read() === undefined;
  }

  /** Tells the other side that nothing more is sent; answers can still be read. */
  async endSending(): Promise<void> {
    await this.#socket.closeWrite();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #receive(method: string): Promise<HttpAnswer> {
    const interim: number[] = [];
    for (;;) {
      const { status, fields } = await this.receiveHead();
      if (status >= 200) {
        const body = await this.#readBody({ method, status, fields });
        return makeAnswer({ status, fields, body, interim });
      }
      interim.push(status);
    }
  }

  async #readBody(head: {
    method: string;
    status: number;
    fields: HttpAnswer["fields"];
  }): Promise<Uint8Array> {
    if (head.method === "HEAD" || head.status === 204 || head.status === 304) {
      return new Uint8Array(0);
    }
    if (valueOf(head.fields, "transfer-encoding") === "chunked") return await this.#readChunks();
    const length = valueOf(head.fields, "content-length");
    return length === undefined ? await this.#readToEnd() : await this.#readBytes(Number(length));
  }

  async #readChunks(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const size = parseInt(await this.#readUntil("\r\n"), 16);
      chunks.push(await this.#readBytes(size));
      await this.#readUntil("\r\n");
      if (size === 0) return join(chunks);
    }
  }

  async #readToEnd(): Promise<Uint8Array> {
    while (await this.#fill());
    return this.#take(this.#received.length);
  }

  async #readBytes(count: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (let left = count; left > 0;) {
      if (this.#received.length === 0) await this.#insist();
      const chunk = this.#take(Math.min(left, this.#received.length));
      left -= chunk.length;
      chunks.push(chunk);
    }
    return join(chunks);
  }

  /** Text up to a mark, which is read as well. */
  async #readUntil(mark: string): Promise<string> {
    for (;;) {
      const text = decoder.decode(this.#received);
      const end = text.indexOf(mark);
      if (end !== -1) {
        const head = text.slice(0, end);
        this.#take(encoder.encode(head).length + mark.length);
        return head;
      }
      await this.#insist();
    }
  }

  #take(count: number): Uint8Array {
    const taken = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  async #insist(): Promise<void> {
    if (!await this.#fill()) throw new Error("The connection ended within an answer");
  }

  async #fill(): Promise<boolean> {
    const chunk = new Uint8Array(64 * 1024);
    const count = await this.#socket.read(chunk).catch(endOfReset);
    if (count === null) return false;
    this.#received = join([this.#received, chunk.subarray(0, count)]);
    return true;
  }
}

/** The bytes of a request, with a `Host` and the length of its body. */
export function encodeRequest(request: HttpRequest): Uint8Array {
  const { method = "GET", target, headers = {}, version = "1.1" } = request;
  const body = typeof request.body === "string" ? encoder.encode(request.body) : request.body;
  const fields = Object.entries({
    Host: "ring.test",
    ...(body === undefined ? {} : { "Content-Length": String(body.length) }),
    ...headers,
  });
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = encoder.encode(`${method} ${target} HTTP/${version}\r\n${lines}\r\n`);
  return body === undefined ? head : join([head, body]);
}

function makeAnswer(
  parts: Pick<HttpAnswer, "status" | "fields" | "body" | "interim">,
): HttpAnswer {
  return {
    ...parts,
    get text() {
      return decoder.decode(parts.body);
    },
    header: (name) => valueOf(parts.fields, name.toLowerCase()),
  };
}

function valueOf(fields: HttpAnswer["fields"], name: string): string | undefined {
  const values = fields.filter(([key]) => key === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(", ");
}

function splitField(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function endOfReset(error: unknown): null {
  if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BadResource) {
    return null;
  }
  throw error;
}

function join(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
