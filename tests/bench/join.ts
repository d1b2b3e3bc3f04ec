/** A server that joins a ring with many files: from its start until it says that it holds them all. */
import { RingClient } from "../../lib/client/client.ts";
import { eventually } from "../eventually.ts";
import { Machine } from "../e2e/ring_process.ts";

const files = 10_000;
const bodyBytes = 10 * 1024;
const connections = 16;

/** The rate counts the time that the process takes to start. */
export async function measureJoin(): Promise<ReadonlyMap<string, number>> {
  await using machine = await Machine.create();
  const first = await machine.startServer();
  await fill(first.address);
  const start = performance.now();
  const second = await machine.startServer(["--prev-port", `${first.port}`]);
  const client = await RingClient.connect(second.address, { timeoutMs: 10_000 });
  await eventually(async () => {
    const { id, members } = await client.status();
    return members.find((member) => member.id === id)?.status === "alive";
  }, { withinMs: 120_000 });
  const seconds = (performance.now() - start) / 1000;
  const { files: held } = await client.status();
  client.close();
  if (held !== files) throw new Error(`The server that joined holds ${held} of ${files} files`);
  return new Map([
    ["join with 10,000 files of 10 KiB, s", seconds],
    ["join with 10,000 files of 10 KiB, files/s", files / seconds],
  ]);
}

async function fill(address: string): Promise<void> {
  const names = Array.from({ length: files }, (_, index) => `file-${index}`).values();
  await Promise.all(Array.from({ length: connections }, async () => {
    const client = await RingClient.connect(address, { timeoutMs: 10_000 });
    for (const name of names) {
      const body = crypto.getRandomValues(new Uint8Array(bodyBytes));
      await client.put(name, { size: bodyBytes, body });
    }
    client.close();
  }));
}
