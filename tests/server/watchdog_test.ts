import { assert, assertEquals } from "@std/assert";
import type { ByteStream } from "../../lib/protocol/byte_stream.ts";
import { TimedStream } from "../../lib/server/timed_stream.ts";
import { Watchdog, type Watched } from "../../lib/server/watchdog.ts";
import { eventually } from "../eventually.ts";

/** A connection that counts how often it was closed. */
class Connection implements Watched {
  closed = 0;
  constructor(readonly stuck: boolean) {}
  isStuck(): boolean {
    return this.stuck;
  }
  close(): void {
    this.closed++;
  }
}

/** A stream whose reads and writes end when the test lets them. */
class HeldStream implements ByteStream {
  reading = Promise.withResolvers<number | null>();
  writing = Promise.withResolvers<number>();
  closed = false;
  read(): Promise<number | null> {
    return this.reading.promise;
  }
  write(): Promise<number> {
    return this.writing.promise;
  }
  close(): void {
    this.closed = true;
  }
}

Deno.test("Watchdog closes what is stuck, and neither what moves nor what it no longer watches", async () => {
  let noted = 0;
  const watchdog = new Watchdog(() => noted++);
  const [stuck, moving, forgotten] = [true, false, true].map((is) => new Connection(is));
  assert(stuck !== undefined && moving !== undefined && forgotten !== undefined);
  const forget = watchdog.watch(forgotten);
  watchdog.watch(moving);
  watchdog.watch(stuck);
  forget();
  await eventually(() => stuck.closed > 0, { what: "the connection to be closed" });
  watchdog.close();
  assertEquals([noted, moving.closed, forgotten.closed], [stuck.closed, 0, 0]);
});

Deno.test("TimedStream knows for how long nothing was read or written", async () => {
  const held = new HeldStream();
  const stream = new TimedStream(held);
  const stillMs = 100;
  const untilStill = () => eventually(() => stream.stillForMs > stillMs, { what: "time to pass" });

  const read = stream.read(new Uint8Array(1));
  await untilStill();
  held.reading.resolve(1);
  assertEquals(await read, 1);
  assert(stream.stillForMs < stillMs, "a read has moved it");

  const write = stream.write(new Uint8Array(1));
  await untilStill();
  held.writing.resolve(1);
  assertEquals(await write, 1);
  assert(stream.stillForMs < stillMs, "a write has moved it");
});

Deno.test("TimedStream knows whether bytes wait for the other side to take them", async () => {
  const held = new HeldStream();
  const stream = new TimedStream(held);
  assertEquals(stream.isWriting, false);
  const writes = [stream.write(new Uint8Array(1)), stream.write(new Uint8Array(1))];
  assertEquals(stream.isWriting, true);
  held.writing.reject(new Error("broken"));
  await Promise.allSettled(writes);
  assertEquals(stream.isWriting, false);
});

Deno.test("TimedStream closes the stream that it is on, and can end one that has no halves", async () => {
  const held = new HeldStream();
  const stream = new TimedStream(held);
  await stream.closeWrite();
  assertEquals(held.closed, false);
  stream.close();
  assertEquals(held.closed, true);
});
