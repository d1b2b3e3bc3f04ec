/** Attempts: how often whom has used a wrong secret, so that guessing is slow. */
import { networkOf } from "./admission.ts";

/** How many wrong secrets a client may use within a minute. */
export const attemptsMax = 10;
export const attemptsMs = 60_000;

/** How many clients are remembered; the one whose minute began first is forgotten for another. */
const clientsMax = 1000;

interface Count {
  wrong: number;
  readonly endsAt: number;
}

/** Counts wrong secrets by the network of the client (`networkOf`); `now` is milliseconds of a clock that never goes back. */
export class Attempts {
  readonly #counts = new Map<string, Count>();

  /** Whether a client has to wait before it is listened to again. */
  areTooMany(client: string, now: number): boolean {
    const count = this.#counts.get(networkOf(client));
    return count !== undefined && count.endsAt > now && count.wrong >= attemptsMax;
  }

  /** A client has used a wrong secret. */
  noteWrong(client: string, now: number): void {
    const key = networkOf(client);
    const count = this.#counts.get(key);
    if (count !== undefined && count.endsAt > now) {
      count.wrong++;
      return;
    }
    this.#counts.delete(key);
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size >= clientsMax) this.#counts.delete(oldest);
    this.#counts.set(key, { wrong: 1, endsAt: now + attemptsMs });
  }
}
