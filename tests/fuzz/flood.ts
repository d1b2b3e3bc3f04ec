/** The campaign of a flood: more connections than a server may have files open. */
import { parseAddress } from "../../lib/ring/address.ts";
import type { CampaignOptions } from "./campaign.ts";
import { besiege } from "./siege.ts";
import type { Target } from "./target.ts";

/** How many files each server may have open. */
const openFilesMax = 256;

/** How many connections are open at the same time at the most, to all servers together. */
const waveConnections = 1500;

/** How long a wave stands, in milliseconds. */
const waveMs = 3000;

/** Runs the campaign; `frames` counts connections. Returns what does not hold. */
export function fuzzFlood({ seed, frames, print }: CampaignOptions): Promise<readonly string[]> {
  return besiege({
    seed,
    print,
    openFilesMax,
    // A new connection has to wait for room while the flood stands.
    isTimed: false,
    attack: async (target, isEarnest) => {
      let opened = 0;
      for (let left = isEarnest ? frames : waveConnections; left > 0; left -= waveConnections) {
        opened += await wave(target, Math.min(left, waveConnections));
      }
      if (isEarnest) print(`${opened} connections, where ${openFilesMax} files may be open`);
      return [];
    },
  });
}

/** Opens connections to the ring's ports and the web fronts in turn, holds them, and lets go. */
async function wave(target: Target, count: number): Promise<number> {
  const ports = target.servers.flatMap(({ address, web }) => [
    parseAddress(address)?.port ?? 0,
    Number(new URL(web).port),
  ]);
  const connections: Deno.TcpConn[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const port = ports[index % ports.length] ?? 0;
      const connection = await connect(port);
      if (connection !== undefined) connections.push(connection);
    }
    await new Promise((resolve) => setTimeout(resolve, waveMs));
    return connections.length;
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** A connection, unless the queue of those that wait to be accepted is full. */
async function connect(port: number): Promise<Deno.TcpConn | undefined> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), 200);
  try {
    return await Deno.connect({ hostname: "127.0.0.1", port, signal: timeout.signal });
  } catch (error) {
    const isRefused = error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.ConnectionReset || timeout.signal.aborted;
    if (isRefused) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
