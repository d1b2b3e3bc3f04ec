/**
 * What a hop costs: a FORWARD with 1 KiB, encoded, sent over loopback, received and decoded by another
 * process. Nothing is done with it.
 *
 * As a program it listens on the address in its first argument, at any port, which it prints, and sends
 * back every FORWARD that it gets.
 */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { decodeIncoming, withBody } from "../../lib/protocol/decode.ts";
import { encodeMessage } from "../../lib/protocol/encode.ts";
import { inlineBytesMax } from "../../lib/ring/file_record.ts";
import type { Forward } from "../../lib/ring/message.ts";
import { stampZero } from "../../lib/ring/stamp.ts";
import { median } from "./statistics.ts";

const bodyBytes = 1024;
const warmUp = 500;
const trips = 1000;

/** The median of half a round trip between two processes, in milliseconds. */
export async function measureHop(ip: string): Promise<number> {
  const program = fileURLToPath(import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-net", program, ip],
    stdout: "piped",
  }).spawn();
  try {
    return await measureTrips(ip, await readPort(child.stdout)) / 2;
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}

async function measureTrips(hostname: string, port: number): Promise<number> {
  const conn = await Deno.connect({ hostname, port });
  conn.setNoDelay(true);
  const connection = new FrameConnection(conn);
  const message = sample();
  const times: number[] = [];
  for (let trip = 0; trip < warmUp + trips; trip++) {
    const start = performance.now();
    send(connection, message);
    await receive(connection);
    if (trip >= warmUp) times.push(performance.now() - start);
  }
  connection.close();
  return median(times);
}

async function readPort(stdout: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number> {
  for await (const text of stdout.pipeThrough(new TextDecoderStream())) return Number(text);
  throw new Error("The process at the other end of the hop has ended");
}

/** As a write looks half way round a ring of three. */
function sample(): Forward {
  const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
  const sha256 = createHash("sha256").update(body).digest("hex");
  const [id, boot] = ["a".repeat(32), "b".repeat(32)];
  const record = {
    name: "file",
    stamp: stampZero,
    sha256,
    size: bodyBytes,
    contentType: "text/plain",
  };
  return {
    type: "FORWARD",
    from: id,
    to: "c".repeat(32),
    hop: 1,
    circle: { creator: id, boot, sequence: 1, attempt: 0, visited: [{ id, deed: "passed" }] },
    errand: { type: "WRITE", record, holder: id, list: sha256 },
    body,
  };
}

function send(connection: FrameConnection, message: Forward): void {
  const { head, body = new Uint8Array() } = encodeMessage(message);
  connection.send(head, body).catch(() => {});
}

async function receive(connection: FrameConnection): Promise<Forward | undefined> {
  const received = await connection.receive();
  if (received === undefined) return undefined;
  const message = decodeIncoming(received.value, received.size);
  if (message.type !== "FORWARD") throw new Error(`A ${message.type} has come back`);
  return withBody(message, await connection.readBody(inlineBytesMax));
}

async function sendBack(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay(true);
  const connection = new FrameConnection(conn);
  for (
    let message = await receive(connection);
    message !== undefined;
    message = await receive(connection)
  ) {
    send(connection, message);
  }
}

if (import.meta.main) {
  const [hostname = ""] = Deno.args;
  const listener = Deno.listen({ hostname, port: 0 });
  console.log(listener.addr.port);
  for await (const conn of listener) await sendBack(conn);
}
