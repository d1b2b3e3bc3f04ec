import { assert, assertEquals } from "@std/assert";
import { testWithNet } from "../permission.ts";
import type { BodyReader } from "../../lib/storage/store.ts";
import { openSite } from "./open_site.ts";

const chunkBytes = 256 * 1024;
const chunksTotal = 1000;

/** A body of 250 MiB that counts its chunks, as they are asked for. */
class LongBody implements BodyReader {
  readonly size = chunksTotal * chunkBytes;
  read = 0;
  isClosed = false;
  failsAt = Infinity;

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (; this.read < chunksTotal; this.read++) {
      if (this.read === this.failsAt) throw new Error("Cannot read the disk");
      yield new Uint8Array(chunkBytes);
    }
  }

  close(): void {
    this.isClosed = true;
  }
}

async function openLongFile(body: LongBody) {
  const site = await openSite();
  const record = site.backend.put("long", new Uint8Array(100_000));
  site.backend.look = () => ({ ...record, size: body.size });
  site.backend.openBody = () => body;
  return site;
}

testWithNet("a long file is read no faster than its client takes it", async () => {
  const body = new LongBody();
  await using site = await openLongFile(body);
  using connection = await site.connect();
  await connection.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  await connection.receiveHead();
  await settled(() => body.read);
  assert(body.read < chunksTotal / 2, `${body.read} chunks were read for nobody`);
  assertEquals(body.isClosed, false);
  for (let bytes = 0; bytes < body.size;) bytes += (await connection.read())?.length ?? Infinity;
  await until(() => body.isClosed && site.site.underWay === 0);
  assertEquals(body.read, chunksTotal);
});

testWithNet("a client that goes away within a file has it closed", async () => {
  const body = new LongBody();
  await using site = await openLongFile(body);
  const connection = await site.connect();
  await connection.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  await connection.receiveHead();
  connection.close();
  await until(() => body.isClosed && site.site.underWay === 0);
  assert(body.read < chunksTotal);
});

testWithNet("a file that cannot be read to its end does not look whole", async () => {
  const body = new LongBody();
  body.failsAt = 2;
  await using site = await openLongFile(body);
  using connection = await site.connect();
  await connection.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  await connection.receiveHead();
  let bytes = 0;
  for (let chunk = await connection.read(); chunk; chunk = await connection.read()) {
    bytes += chunk.length;
  }
  assert(bytes < body.size);
  await until(() => body.isClosed && site.site.underWay === 0);
});

/** Waits for a condition. */
async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    assert(performance.now() < deadline, "It does not come true");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Waits until a number has not changed for a while. */
async function settled(read: () => number): Promise<void> {
  let [last, since] = [read(), performance.now()];
  await until(() => {
    if (read() !== last) [last, since] = [read(), performance.now()];
    return last > 0 && performance.now() - since > 100;
  });
}
