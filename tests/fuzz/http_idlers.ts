/** Clients that begin something over HTTP and do not go on: the server has to end it. */
import { bytesOfText } from "./http_requests.ts";
import { readProc } from "./proc.ts";
import type { Target } from "./target.ts";

/** How many there are of each kind. */
const idlersCount = 30;

/** How long a server may put up with one, in milliseconds. */
const patienceMsMax = 45_000;

/** How long they idle when the server need not end it, in milliseconds. */
const shortMs = 2000;

/** A file that is larger than what fits in the buffers of two sockets. */
const largeBytes = 16 * 1024 * 1024;

/** Ways to begin, and what is sent a byte at a time afterwards, if anything. */
const kinds: readonly { name: string; begin: string; drip: string }[] = [
  { name: "slow heads", begin: "GET / HTTP/1.1\r\nHost: ring\r\nX: ", drip: "x" },
  {
    name: "slow bodies",
    begin: "PUT /hostile/slow HTTP/1.1\r\nHost: ring\r\nContent-Length: 1000000\r\n\r\nhello",
    drip: "",
  },
  {
    name: "slow chunks",
    begin:
      "PUT /hostile/slow HTTP/1.1\r\nHost: ring\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\nhe",
    drip: "",
  },
  {
    name: "unread answers",
    begin: "GET /hostile/large HTTP/1.1\r\nHost: ring\r\n\r\n".repeat(3),
    drip: "",
  },
];

/** What became of them. */
export interface Idled {
  readonly text: string;
  readonly failures: readonly string[];
}

/** Begins, and waits until the servers have ended it all; or, in a short time, leaves by itself. */
export async function holdOpen(target: Target, length: "long" | "short"): Promise<Idled> {
  const [web = ""] = target.servers.map((server) => server.web);
  const body = new Uint8Array(largeBytes);
  await (await fetch(`${web}hostile/large`, { method: "PUT", body })).body?.cancel();
  const began = performance.now();
  const ports = target.servers.map((server) => Number(new URL(server.web).port));
  const failures: string[] = [];
  await Promise.all(
    kinds.flatMap(({ name, begin, drip }) =>
      Array.from({ length: idlersCount }, async (_, index) => {
        const port = ports[index % ports.length] ?? 0;
        const isEnded = await idle(port, { begin, drip, length });
        if (!isEnded && length === "long") failures.push(`One of the ${name} was never ended`);
      })
    ),
  );
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const names = kinds.map(({ name }) => name).join(", ");
  return { failures, text: `${idlersCount} each of ${names}: all gone after ${seconds} s` };
}

/** Whether the server has ended it. */
async function idle(
  port: number,
  { begin, drip, length }: { begin: string; drip: string; length: "long" | "short" },
): Promise<boolean> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(bytesOfText(begin));
  const end = performance.now() + (length === "long" ? patienceMsMax : shortMs);
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (!await isOpen(connection, port, drip)) return true;
  }
  return false;
}

/**
 * Whether the server has the connection still. Asked of the system: to read would make room for an answer,
 * and an end waits behind what is not read.
 */
async function isOpen(connection: Deno.TcpConn, port: number, drip: string): Promise<boolean> {
  if (drip !== "") {
    return await connection.write(bytesOfText(drip)).then(() => true, () => false);
  }
  const local = connection.localAddr.port.toString(16).toUpperCase().padStart(4, "0");
  const remote = port.toString(16).toUpperCase().padStart(4, "0");
  const table = await readProc("net/tcp");
  const established = "01";
  return table.split("\n").some((line) => {
    const [, from = "", to = "", state = ""] = line.trim().split(/\s+/);
    return from.endsWith(`:${remote}`) && to.endsWith(`:${local}`) && state === established;
  });
}
