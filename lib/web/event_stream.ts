/**
 * Event streams: tells listeners what happens in this server, as it happens (server-sent events, HTML
 * standard, section 9.2). Nobody is waited for: a listener that does not read is dropped.
 */
import type { ServerResponse } from "node:http";
import type { RingEvent } from "./activity.ts";
import { Admission } from "./admission.ts";
import type { Backend } from "./backend.ts";
import type { Exchange } from "./send_body.ts";

/** Where they are to be had: these answers are meant to go on for long. */
export const eventsPath = "/_ring/events";

/** How many may listen at a time. */
export const listenersMax = 64;

/** How much may wait for one listener, in bytes, before it is dropped. */
export const waitingBytesMax = 256 * 1024;

/** How often numbers are told, and how often there is at least a sign of life, in milliseconds. */
const numbersIntervalMs = 1000;
const commentIntervalMs = 15_000;

/** For how long events are gathered before they are sent, in milliseconds. */
const gatherMs = 20;

/** Tells what happens in one server. */
export class EventStream {
  readonly #backend: Backend;
  readonly #admission: Admission;
  readonly #listeners = new Set<ServerResponse>();
  #unsubscribe: () => void = () => {};
  #numbersTimer: ReturnType<typeof setInterval> | undefined;
  #gatherTimer: ReturnType<typeof setTimeout> | undefined;
  #gathered = "";
  #commentedAt = 0;

  /** Of those at one address as many may listen as `perAddressMax` says: half of all, or any number for 0. */
  constructor(backend: Backend, perAddressMax?: number) {
    this.#backend = backend;
    this.#admission = new Admission({ connectionsMax: listenersMax, perAddressMax });
  }

  /** Answers with everything that happens from now on; or returns why not, and nothing is sent. */
  add({ request, response }: Exchange): string | undefined {
    const { remoteAddress = "" } = request.socket;
    const refusedBy = this.#admission.enter(remoteAddress);
    if (refusedBy === "connections") return `${listenersMax} listen already, and no more can`;
    if (refusedBy !== undefined) return "As many listen already from one address as can";
    response.once("close", () => this.#admission.leave(remoteAddress));
    response.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      // A proxy that gathers the answer would keep everything back.
      "X-Accel-Buffering": "no",
      "X-Content-Type-Options": "nosniff",
    });
    const { members } = this.#backend.status();
    this.#flush();
    response.write(encodeEvent("list", { type: "list", members }));
    if (this.#listeners.size === 0) this.#begin();
    this.#listeners.add(response);
    response.once("close", () => this.#remove(response));
    return undefined;
  }

  #begin(): void {
    this.#unsubscribe = this.#backend.activity.subscribe((event) => this.#tell(event));
    this.#numbersTimer = setInterval(() => this.#tellNumbers(), numbersIntervalMs);
    this.#commentedAt = performance.now();
  }

  #remove(response: ServerResponse): void {
    if (!this.#listeners.delete(response) || this.#listeners.size > 0) return;
    this.#unsubscribe();
    clearInterval(this.#numbersTimer);
    clearTimeout(this.#gatherTimer);
    this.#gatherTimer = undefined;
    this.#gathered = "";
  }

  #tell(event: RingEvent): void {
    this.#gather(encodeEvent(event.type, event));
    if (this.#backend.isStopping) this.#end();
  }

  #tellNumbers(): void {
    const now = performance.now();
    this.#gather(encodeEvent("numbers", numbersOf(this.#backend, now)));
    if (now - this.#commentedAt >= commentIntervalMs) {
      this.#commentedAt = now;
      this.#gather(":\n\n");
    }
    if (this.#backend.isStopping) this.#end();
  }

  #gather(text: string): void {
    this.#gathered += text;
    if (this.#gathered.length >= waitingBytesMax) return this.#flush();
    this.#gatherTimer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  #flush(): void {
    clearTimeout(this.#gatherTimer);
    this.#gatherTimer = undefined;
    const text = this.#gathered;
    this.#gathered = "";
    if (text === "") return;
    for (const listener of this.#listeners) {
      if (listener.writableLength > waitingBytesMax) listener.destroy();
      else listener.write(text);
    }
  }

  /** The server stops, and these answers would not end by themselves. */
  #end(): void {
    this.#flush();
    for (const listener of [...this.#listeners]) {
      this.#remove(listener);
      listener.end();
    }
  }
}

/** One event, as the stream has it. JSON has no line ends. */
function encodeEvent(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What a person watches, counted since the start; the latency is that of the last second. */
function numbersOf(backend: Backend, now: number): Record<string, unknown> {
  const { traffic } = backend.activity;
  const { files, digest, members, id } = backend.status();
  const [p50 = 0, p99 = 0] = traffic.recent.quantiles([0.5, 0.99], now);
  return {
    requests: traffic.requests,
    puts: traffic.puts,
    gets: traffic.gets,
    bytes: traffic.bytesReceived + traffic.bytesSent,
    files,
    digest,
    latencyMs: { p50: round(p50 * 1000), p99: round(p99 * 1000) },
    status: members.find((member) => member.id === id)?.status ?? "joining",
  };
}

/** To a thousandth. */
function round(number: number): number {
  return Math.round(number * 1000) / 1000;
}
