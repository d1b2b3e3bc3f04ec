/** PUT of 1 GiB to three servers, and three copies of it made by `dd`. */
import { Machine } from "../../e2e/ring_process.ts";
import { atMost, type Comparison, inTurn, type Row } from "../comparison.ts";
import { residentMiB } from "../idle.ts";
import { timed, writeLargeFile } from "../large_file.ts";

const copies = 3;
const name = "large.bin";

const time: Row = {
  work: "PUT 1 GiB to 3 servers",
  peer: "`dd`, 3 copies one after the other",
  unit: "s",
  target: atMost(1),
};
const memory: Row = {
  work: "same: highest peak of the servers' memory (VmHWM)",
  unit: "MiB",
  target: atMost(256),
};

export const putLarge: Comparison = {
  rows: [time, memory],
  programs: [],
  roundsMax: 3,
  fairness: "The same file of random bytes, in the page cache, on the same disk, which is synced " +
    "before each turn. ring: `ring client --put` from its start to its end, by the ring protocol; " +
    "all three have hashed and synced it then. dd: `bs=1M conv=fsync`, three times; it hashes " +
    "nothing.",
  async measure(round) {
    const { ours, theirs } = await inTurn(round, putAtRing, copyThrice);
    return new Map([
      [time, { ours: ours.seconds, theirs }],
      [memory, { ours: ours.peakMiB }],
    ]);
  },
};

async function putAtRing(): Promise<{ readonly seconds: number; readonly peakMiB: number }> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(copies);
  const [first] = servers;
  if (first === undefined) throw new Error("There is no ring");
  await prepare(machine);
  const seconds = await timed(() => first.runClient(["--put", name, "--timeout", "60s"]));
  const peaks = await Promise.all(servers.map((server) => residentMiB(server, "VmHWM")));
  return { seconds, peakMiB: Math.max(...peaks) };
}

async function copyThrice(): Promise<number> {
  await using machine = await Machine.create();
  await prepare(machine);
  return await timed(async () => {
    for (let copy = 1; copy <= copies; copy++) {
      const args = [`if=${name}`, `of=copy-${copy}`, "bs=1M", "conv=fsync"];
      const command = new Deno.Command("dd", { args, cwd: machine.directory });
      const { code, stderr } = await command.output();
      if (code !== 0) return { code, stderr: new TextDecoder().decode(stderr) };
    }
    return { code: 0, stderr: "" };
  });
}

/** Writes the file, and has the disk done with that and all before it. */
async function prepare(machine: Machine): Promise<void> {
  await writeLargeFile(machine.path(name));
  await new Deno.Command("sync").output();
}
