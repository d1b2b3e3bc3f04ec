import { assertEquals } from "@std/assert";
import type { Address } from "../../lib/ring/address.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { Link } from "../../lib/ring/step.ts";
import { EventQueue } from "./event_queue.ts";
import { type Endpoint, Network, type NetworkQuality } from "./network.ts";
import { Random } from "./random.ts";

const good: NetworkQuality = {
  delayMsMin: 1,
  delayMsMax: 50,
  slowChance: 0.1,
  lossChance: 0,
  resends: 6,
  breakChance: 0,
  repeatChance: 0,
  tellsIdleBreaks: false,
};

/** Writes down what the network hands it. */
class Recorder implements Endpoint {
  readonly messages: { link: Link; sequence: number }[] = [];
  readonly unreachable: string[] = [];

  constructor(readonly address: Address) {}

  get sequences(): number[] {
    return this.messages.map(({ sequence }) => sequence);
  }

  handleMessage(link: Link, message: MemberMessage): void {
    if (message.type === "CHECK") this.messages.push({ link, sequence: message.sequence });
  }

  handleUnreachable(address: Address, reason: "refused" | "closed"): void {
    this.unreachable.push(`${address} ${reason}`);
  }
}

/** A network of two that listen, and a way to let time pass. */
function build(quality: Partial<NetworkQuality> = {}, seed = "network") {
  const queue = new EventQueue();
  let now = 0;
  const network = new Network(() => now, {
    quality: { ...good, ...quality },
    random: new Random(seed),
    schedule: (delayMs, run) => queue.push(now + delayMs, run),
  });
  const a = new Recorder("10.0.0.1:4043");
  const b = new Recorder("10.0.0.2:4043");
  network.listen(a);
  network.listen(b);
  return { network, a, b, settle, wait };

  function settle(): void {
    while (queue.nextAt !== undefined) wait(queue.nextAt - now);
  }

  function wait(ms: number): void {
    const until = now + ms;
    while ((queue.nextAt ?? Infinity) <= until) {
      const event = queue.pop();
      now = event?.at ?? now;
      event?.run();
    }
    now = until;
  }
}

function check(sequence: number): MemberMessage {
  return { type: "CHECK", from: "a", to: "b", sequence, list: "", files: "", wall: 0 };
}

const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

Deno.test("Network keeps the order of messages on one connection, and of the replies", () => {
  const { network, a, b, settle } = build();
  for (const sequence of ten) network.send(a, b.address, check(sequence));
  settle();
  assertEquals(b.sequences, ten);
  for (const { link, sequence } of b.messages) network.reply(b, link, check(sequence));
  settle();
  assertEquals(a.sequences, ten);
});

Deno.test("Network does not order messages of different connections", () => {
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const { network, a, b, settle } = build({}, String(seed));
    const c = new Recorder("10.0.0.3:4043");
    network.listen(c);
    network.send(a, b.address, check(1));
    network.send(c, b.address, check(2));
    settle();
    orders.add(b.sequences.join());
  }
  assertEquals([...orders].sort(), ["1,2", "2,1"]);
});

Deno.test("Network refuses a connection to an address where nobody listens", () => {
  const { network, a, settle } = build();
  network.send(a, "10.0.0.9:4043", check(1));
  settle();
  assertEquals(a.unreachable, ["10.0.0.9:4043 refused"]);
});

Deno.test("Network tells who awaits an answer that the connection closed", () => {
  const { network, a, b, settle } = build();
  network.send(a, b.address, check(1));
  settle();
  network.hangUp(b, { flushes: false });
  settle();
  assertEquals(a.unreachable, ["10.0.0.2:4043 closed"]);
});

Deno.test("Network loses what is in flight when a process dies, unless it flushes", () => {
  for (const flushes of [false, true]) {
    const { network, a, b, settle } = build();
    network.send(a, b.address, check(1));
    settle();
    network.send(a, b.address, check(2));
    network.hangUp(a, { flushes });
    settle();
    assertEquals(b.sequences, flushes ? [1, 2] : [1]);
  }
});

Deno.test("Network loses nothing but what was in flight when a connection breaks", () => {
  const { network, a, b, settle } = build({ breakChance: 0.1 });
  for (let sequence = 0; sequence < 300; sequence++) {
    network.send(a, b.address, check(sequence));
    settle();
  }
  const lost = 300 - b.messages.length;
  assertEquals(a.unreachable.length, lost);
  assertEquals(lost > 10 && lost < 60, true, `${lost} of 300 were lost`);
});

Deno.test("Network repeats messages, in order", () => {
  const { network, a, b, settle } = build({ repeatChance: 1 });
  for (const sequence of ten) network.send(a, b.address, check(sequence));
  settle();
  assertEquals(b.sequences, ten.flatMap((sequence) => [sequence, sequence]));
});

Deno.test("Network cuts one way only, silently, until it is healed", () => {
  const { network, a, b, settle } = build();
  network.send(a, b.address, check(1));
  network.send(b, a.address, check(1));
  settle();
  network.cut(a.address, b.address);
  network.send(a, b.address, check(2));
  network.send(b, a.address, check(2));
  assertEquals(network.reach(a.address, b.address), "silence");
  settle();
  assertEquals([a.sequences, b.sequences], [[1, 2], [1]]);
  assertEquals(a.unreachable, ["10.0.0.2:4043 closed"]);
  network.heal(a.address, b.address);
  network.send(a, b.address, check(3));
  settle();
  assertEquals(b.sequences, [1, 3]);
});

Deno.test("Network sends again what was lost, later and in order", () => {
  const { network, a, b, settle } = build({ lossChance: 0.3 });
  for (const sequence of ten) network.send(a, b.address, check(sequence));
  settle();
  assertEquals([b.sequences, a.unreachable], [ten, []]);
});

Deno.test("Network delivers what was sent into a partition when that heals soon", () => {
  const { network, a, b, settle, wait } = build();
  network.send(a, b.address, check(1));
  settle();
  network.cut(a.address, b.address);
  network.cut(a.address, b.address);
  for (const sequence of [2, 3]) network.send(a, b.address, check(sequence));
  wait(3_000);
  network.heal(a.address, b.address);
  wait(1_000);
  assertEquals(b.sequences, [1], "cut twice, healed once");
  network.heal(a.address, b.address);
  settle();
  assertEquals([b.sequences, a.unreachable], [[1, 2, 3], []]);
});

Deno.test("Network drops in silence what waits for a connection that does not come about", () => {
  const { network, a, b, settle } = build();
  network.cut(b.address, a.address);
  network.send(a, b.address, check(1));
  settle();
  network.heal(b.address, a.address);
  network.send(a, b.address, check(2));
  settle();
  assertEquals([b.sequences, a.unreachable], [[2], []]);
});
