/** The campaign against a live server: hostile frames from strangers, one connection after another. */
import { parseAddress } from "../../lib/ring/address.ts";
import { decodeIncoming } from "../../lib/protocol/decode.ts";
import { FrameDecoder } from "../../lib/protocol/frame.ts";
import { ProtocolError } from "../../lib/protocol/protocol_error.ts";
import type { CampaignOptions } from "./campaign.ts";
import { makeFrame } from "./hostile_frame.ts";
import type { Cast } from "./messages.ts";
import { besiege } from "./siege.ts";
import type { Target } from "./target.ts";

/** How many connections attack at the same time. */
const attackersCount = 64;

/** How many frames warm the servers up. */
const warmUpFrames = 5000;

/** How long the server may take to close a connection on which it was sent rubbish, in milliseconds. */
const closeMsMax = 20_000;

/** How many good frames are sent on one connection before it is closed. */
const framesPerConnection = 20;

/** How many frames it takes for the times of answers to mean something. */
const framesTimedMin = 10_000;

/** Runs the campaign; returns what does not hold. */
export function fuzzServer(
  { seed, frames, print }: CampaignOptions,
): Promise<readonly string[]> {
  return besiege({
    seed,
    print,
    // One answer in a hundred means something among many.
    isTimed: frames >= framesTimedMin,
    attack: async (target, isEarnest) => {
      const began = performance.now();
      const attack = new Attack(target, isEarnest ? seed : `${seed}/warm`, {
        frames: isEarnest ? frames : Math.min(frames, warmUpFrames),
        cast: await strangersTo(target),
      });
      const failures = await attack.run();
      const seconds = (performance.now() - began) / 1000;
      if (isEarnest) print(`${attack.sent} frames in ${seconds.toFixed(1)} s, ${attack.counts}`);
      return failures;
    },
  });
}

/** Frames are for the servers, and from nobody whom they know. */
async function strangersTo(target: Target): Promise<Cast> {
  const statuses = await target.statuses();
  return {
    ids: [..."0123456789abcdef"].map((digit) => digit.repeat(32)),
    receivers: statuses.map(({ id }) => id),
    // Nobody listens there: who is said to be there is found dead at once.
    addresses: ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"],
    names: ["hostile/a", "hostile/b/c", "__proto__", 'hostile/"quoted"', "hostile/😀"],
  };
}

/** One attack. */
class Attack {
  readonly #target: Target;
  readonly #seed: string;
  readonly #frames: number;
  readonly #cast: Cast;
  readonly #failures: string[] = [];
  #next = 0;
  #connections = 0;

  constructor(
    target: Target,
    seed: string,
    { frames, cast }: { frames: number; cast: Cast },
  ) {
    this.#target = target;
    this.#seed = seed;
    this.#frames = frames;
    this.#cast = cast;
  }

  /** How many frames have been sent. */
  get sent(): number {
    return this.#next;
  }

  get counts(): string {
    return `on ${this.#connections} connections`;
  }

  /** Attacks with all that there is; returns what went wrong. */
  async run(): Promise<readonly string[]> {
    await Promise.all(Array.from({ length: attackersCount }, () => this.#attack()));
    return this.#failures;
  }

  async #attack(): Promise<void> {
    while (this.#next < this.#frames && this.#failures.length === 0) {
      const first = this.#next;
      try {
        await this.#useConnection();
      } catch (error) {
        this.#failures.push(`Frames from ${first} on: ${String(error)}`);
      }
    }
  }

  /** Sends good frames up to one that is not, and reads until the server closes. */
  async #useConnection(): Promise<void> {
    const { servers } = this.#target;
    const { host = "", port = 0 } =
      parseAddress(servers[this.#connections++ % servers.length]?.address ?? "") ?? {};
    using connection = await Deno.connect({ hostname: host, port });
    const frames: Uint8Array[] = [];
    for (let count = 0; count < framesPerConnection && this.#next < this.#frames; count++) {
      const { bytes } = makeFrame(this.#seed, this.#next++, this.#cast);
      frames.push(bytes);
      if (!isGood(bytes)) break;
    }
    // A server that has closed already has had its reason.
    await send(connection, frames).catch(() => {});
    await untilClosed(connection);
  }
}

/** Whether a server goes on after these bytes. */
function isGood(bytes: Uint8Array): boolean {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  try {
    for (let event = decoder.next(); event !== undefined; event = decoder.next()) {
      if (event.type === "frame") decodeIncoming(event.value, event.size);
    }
    return decoder.idle;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

async function send(connection: Deno.TcpConn, frames: readonly Uint8Array[]): Promise<void> {
  for (const bytes of frames) {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  }
  await connection.closeWrite();
}

async function untilClosed(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, closeMsMax);
  try {
    while (await connection.read(buffer) !== null);
  } catch (error) {
    // A reset is an end as well.
    if (isLate) throw new Error("The server has not closed the connection", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
