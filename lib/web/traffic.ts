/** Traffic: what has gone through a web front, counted. */
import { Histogram } from "./histogram.ts";
import { RecentSeconds } from "./recent_seconds.ts";
import { Refusals } from "./refusals.ts";

/** The methods that are counted by name; of others there could be any number. */
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST"]);

/** A request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  readonly status: number;
  /** How long it took; absent for an answer that is meant to go on for long. */
  readonly seconds?: number;
}

/** Counts the requests, bytes and connections of one web front. */
export class Traffic {
  /** How many requests were answered, by `METHOD status`. */
  readonly answered = new Map<string, number>();
  readonly seconds = new Histogram();
  readonly recent = new RecentSeconds();
  requests = 0;
  puts = 0;
  gets = 0;
  /** Bytes read from, and written to, all connections. */
  bytesReceived = 0;
  bytesSent = 0;
  /** How many connections are open. */
  connections = 0;

  /** `refusals` counts what is refused, here and elsewhere in the server. */
  constructor(readonly refusals = new Refusals()) {}

  /** Counts a request; `now` is milliseconds of a clock that never goes back. */
  count({ method, status, seconds }: AnsweredRequest, now: number): void {
    const known = methods.has(method) ? method : "OTHER";
    const key = `${known} ${status}`;
    this.answered.set(key, (this.answered.get(key) ?? 0) + 1);
    this.requests++;
    if (method === "PUT") this.puts++;
    if (method === "GET") this.gets++;
    if (seconds === undefined) return;
    this.seconds.add(seconds);
    this.recent.add(seconds, now);
  }
}
