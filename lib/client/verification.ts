/**
 * The verification of one server of a ring, and the comparison of all.
 *
 * A server that reads all that it holds is silent for as long as that takes. So it is asked for its
 * status meanwhile, on another connection, and is given up when it does not answer that.
 */
import { isLive, type Member } from "../ring/member.ts";
import type { StatusAnswer } from "../ring/request.ts";
import type { Verified } from "./answer.ts";
import { type ConnectOptions, RingClient } from "./client.ts";
import { RingError } from "./ring_error.ts";

/** How often a server that verifies is asked whether it lives, in milliseconds. */
const pulseMs = 1000;

/** How long servers that differ may take to become equal, in milliseconds: anti-entropy is at work. */
export const settleMsMax = 60_000;

/** How often they are looked at, in milliseconds. */
const settleLookMs = 200;

/** What became of the verification of a member. */
export type Verdict =
  | { readonly outcome: "verified"; readonly member: Member; readonly found: Verified }
  /** It is dead or has left: it was not asked. */
  | { readonly outcome: "gone"; readonly member: Member }
  /** It did not do it; `reason` is one sentence. */
  | { readonly outcome: "failed"; readonly member: Member; readonly reason: string };

/** What a server says of itself, or, in one sentence, why it does not. */
export type Standing =
  | { readonly member: Member; readonly status: StatusAnswer }
  | { readonly member: Member; readonly reason: string };

/** Has a member verify what it holds. */
export async function verifyMember(
  member: Member,
  options: ConnectOptions,
): Promise<Verdict> {
  if (!isLive(member)) return { outcome: "gone", member };
  try {
    return { outcome: "verified", member, found: await askToVerify(member, options) };
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    return { outcome: "failed", member, reason: error.message };
  }
}

/**
 * Asks members for their status until all of them are alive and have the same files, one of them does
 * not answer, or the time is over; returns what they said last.
 */
export async function compareMembers(
  members: readonly Member[],
  { settleMs = settleMsMax, ...options }: ConnectOptions & { settleMs?: number },
): Promise<readonly Standing[]> {
  const end = performance.now() + settleMs;
  for (;;) {
    const standings = await Promise.all(members.map((member) => askStanding(member, options)));
    if (!isChanging(standings) || performance.now() > end) return standings;
    await new Promise((resolve) => setTimeout(resolve, settleLookMs));
  }
}

/** Whether all of these servers hold the same files. */
export function areEqual(standings: readonly Standing[]): boolean {
  const digests = standings.map((standing) => "status" in standing && standing.status.digest);
  return new Set(digests).size <= 1;
}

async function askToVerify(member: Member, options: ConnectOptions): Promise<Verified> {
  const { client } = await open(member, options);
  const lost = Promise.withResolvers<never>();
  let pulse: RingClient | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const { client: other } = await open(member, options);
    pulse = other;
    timer = setInterval(() => other.status().catch(lost.reject), pulseMs);
    return await Promise.race([client.verify(), lost.promise]);
  } finally {
    clearInterval(timer);
    client.close();
    pulse?.close();
  }
}

async function askStanding(member: Member, options: ConnectOptions): Promise<Standing> {
  try {
    const { client, status } = await open(member, options);
    client.close();
    return { member, status };
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    return { member, reason: error.message };
  }
}

/** Connects to a member, and not to whoever has taken its address. */
async function open(
  { id, address }: Member,
  options: ConnectOptions,
): Promise<{ client: RingClient; status: StatusAnswer }> {
  const client = await RingClient.connect(address, options);
  try {
    const status = await client.status();
    if (status.id === id) return { client, status };
    throw new RingError("failed", `Another server answers at ${address}`);
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Whether servers that all answer may yet become equal, and hold each other alive. */
function isChanging(standings: readonly Standing[]): boolean {
  const statuses = standings.flatMap((standing) => "status" in standing ? [standing.status] : []);
  if (statuses.length < standings.length) return false;
  const ids = new Set(statuses.map(({ id }) => id));
  const doubts = statuses.some(({ members }) =>
    members.some(({ id, status }) => ids.has(id) && status !== "alive")
  );
  return doubts || !areEqual(standings);
}
