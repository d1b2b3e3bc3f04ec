/** The campaign against the web fronts: malformed requests, and clients that stop in the middle. */
import { Random } from "../simulator/random.ts";
import type { CampaignOptions } from "./campaign.ts";
import { bytesOfText, hostileRequests } from "./http_requests.ts";
import { holdOpen } from "./http_idlers.ts";
import { besiege } from "./siege.ts";
import type { Target } from "./target.ts";

const attackersCount = 8;
const warmUpRequests = 1000;

/** How long a server may take to answer a request and close, in milliseconds. */
const closeMsMax = 20_000;

/** How much of an answer is read, in bytes. */
const answerBytesMax = 64 * 1024;

/** How many requests it takes for the times of answers to mean something. */
const requestsTimedMin = 10_000;

/** Runs the campaign; returns what does not hold. */
export function fuzzHttp(options: CampaignOptions): Promise<readonly string[]> {
  const { seed, frames, print } = options;
  return besiege({
    seed,
    print,
    // One answer in a hundred means something among many.
    isTimed: frames >= requestsTimedMin,
    attack: async (target, isEarnest) => {
      const began = performance.now();
      const attack = new Attack(target, isEarnest ? seed : `${seed}/warm`);
      const requests = isEarnest ? frames : Math.min(frames, warmUpRequests);
      const idling = holdOpen(target, isEarnest && frames > warmUpRequests ? "long" : "short");
      const failures = await attack.run(requests);
      const seconds = (performance.now() - began) / 1000;
      const rate = Math.round(requests / seconds);
      if (isEarnest) print(`${requests} requests in ${seconds.toFixed(1)} s, ${rate} a second`);
      const idled = await idling;
      if (isEarnest) print(idled.text);
      return [...failures, ...idled.failures];
    },
  });
}

class Attack {
  readonly #target: Target;
  readonly #seed: string;
  readonly #failures: string[] = [];
  #next = 0;

  constructor(target: Target, seed: string) {
    this.#target = target;
    this.#seed = seed;
  }

  async run(requests: number): Promise<readonly string[]> {
    const work = async () => {
      while (this.#next < requests && this.#failures.length < 10) await this.#try(this.#next++);
    };
    await Promise.all(Array.from({ length: attackersCount }, work));
    return this.#failures;
  }

  async #try(number: number): Promise<void> {
    const random = new Random(`${this.#seed}/${number}`);
    const kind = hostileRequests[number % hostileRequests.length];
    const web = random.pick(this.#target.servers)?.web;
    if (kind === undefined || web === undefined) return;
    const request = bytesOfText(kind.make(random));
    try {
      const answer = await exchange(Number(new URL(web).port), request);
      const wrong = judge(answer, kind.isRefused);
      if (wrong !== undefined) this.#failures.push(`Request ${number}, ${kind.name}: ${wrong}`);
    } catch (error) {
      this.#failures.push(`Request ${number}, ${kind.name}: ${String(error)}`);
    }
  }
}

/** What is wrong with what came back; nothing at all is a refusal. */
export function judge(answer: string, isRefused: boolean): string | undefined {
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
    .filter((status) => status >= 200);
  if (statuses.includes(500)) return `it was answered 500: ${answer.slice(0, 500)}`;
  if (!isRefused) return undefined;
  if (statuses.length > 1) return `it was answered ${statuses.length} times: ${statuses}`;
  const [status = 400] = statuses;
  return status >= 300 ? undefined : `it was answered ${status}: ${answer.slice(0, 500)}`;
}

/** Sends bytes, says that there are no more, and reads what comes until the server closes. */
async function exchange(port: number, bytes: Uint8Array): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    connection.close();
  }, closeMsMax);
  let answer = "";
  try {
    const sending = send(connection, bytes);
    const buffer = new Uint8Array(answerBytesMax);
    const decoder = new TextDecoder("latin1");
    for (let count = await connection.read(buffer); count !== null;) {
      if (answer.length < answerBytesMax) answer += decoder.decode(buffer.subarray(0, count));
      count = await connection.read(buffer);
    }
    await sending;
  } catch (error) {
    // Who refuses what is still being sent may reset the connection.
    if (isLate) throw new Error(`it was not closed in ${closeMsMax} ms`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  return answer;
}

async function send(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    await connection.closeWrite();
  } catch (error) {
    const isClosed = error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.NotConnected ||
      error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
    if (!isClosed) throw error;
  }
}
