/**
 * Silence: finds out that nothing comes back on a connection, long before TCP gives it up.
 *
 * When packets are lost for a while, TCP sends again after ever longer pauses, and a connection can
 * stay mute for many seconds after the path is whole again, while a new one would work at once. So
 * whoever sends what is always answered says so, and looks once a second what has come of it. What is
 * written proves nothing, as the kernel takes it whether or not it arrives; except that a send too
 * large for the kernel moves on only when the other side receives.
 *
 * Looks are counted, not time, so that a server that was itself stopped blames nobody for it.
 */
import type { FrameConnection } from "../protocol/connection.ts";

/** How often a connection from which an answer is due is looked at, in milliseconds. */
export const silenceLookMs = 1000;

/** What there is to see of a connection. */
export type Audible = Pick<FrameConnection, "bytesReceived" | "bytesWritten" | "bytesWaiting">;

/** Judges one connection. */
export class Silence {
  readonly #connection: Audible;
  readonly #looksMax: number;
  /** What had been received when the oldest message was sent to which nothing has come back. */
  #expectedAfter: number | undefined;
  #looks = 0;
  /** What had been written, and still waited, at the look before. */
  #written = 0;
  #waiting = 0;

  /** It is silent at the `looksMax`-th look in a row at which nothing has come that was expected. */
  constructor(connection: Audible, looksMax: number) {
    this.#connection = connection;
    this.#looksMax = looksMax;
  }

  /** Whether anything is expected and nothing has come. */
  get isAwaiting(): boolean {
    return this.#expectedAfter === this.#connection.bytesReceived;
  }

  /** Something is sent that the other side answers. */
  expect(): void {
    if (this.isAwaiting) return;
    this.#expectedAfter = this.#connection.bytesReceived;
    this.#looks = 0;
  }

  /** Looks, once in {@linkcode silenceLookMs}: whether it has been silent for too long. */
  look(): boolean {
    this.#looks = this.isAwaiting && !this.#isSendMoving() ? this.#looks + 1 : 0;
    this.#written = this.#connection.bytesWritten;
    this.#waiting = this.#connection.bytesWaiting;
    return this.#looks >= this.#looksMax;
  }

  /** Whether what waited at the look before is on its way, and not through yet. */
  #isSendMoving(): boolean {
    const written = this.#connection.bytesWritten - this.#written;
    return written > 0 && written < this.#waiting;
  }
}

/** What {@linkcode SilenceWatch} is made of. */
export interface SilenceWatchOptions {
  /** After how many looks without a byte the connection is silent. */
  readonly looksMax: number;
  /** It is silent: whoever is told closes it. */
  readonly onSilence: () => void;
}

/** Looks at one connection for as long as something is expected on it. */
export class SilenceWatch {
  readonly #silence: Silence;
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(connection: Audible, { looksMax, onSilence }: SilenceWatchOptions) {
    this.#silence = new Silence(connection, looksMax);
    this.#onSilence = onSilence;
  }

  /** Something is sent that the other side answers. */
  expect(): void {
    this.#silence.expect();
    this.#timer ??= setInterval(() => this.#look(), silenceLookMs);
  }

  /** Stops looking, until something is expected again. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const isSilent = this.#silence.look();
    if (!this.#silence.isAwaiting || isSilent) this.stop();
    if (isSilent) this.#onSilence();
  }
}
