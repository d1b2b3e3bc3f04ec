import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError, FrameConnection } from "../../lib/protocol/connection.ts";
import {
  AnswerQueue,
  openBodiesMax,
  pipelineMax,
  type Reply,
} from "../../lib/server/answer_queue.ts";
import { BytesReader } from "../../lib/storage/body.ts";
import type { BodyReader } from "../../lib/storage/store.ts";
import { nextTurn } from "../../lib/storage/turn.ts";
import { memoryPair, type MemoryStream } from "../protocol/memory_stream.ts";
import { bytesOf } from "../storage/sample.ts";

Deno.test("AnswerQueue sends the answers in the order in which they were added", async () => {
  const { answers, client } = open();
  const first = Promise.withResolvers<Reply>();
  await answers.add(first.promise);
  await answers.add(reply("second"));
  await answers.add(Promise.resolve(reply("third", new BytesReader(bytesOf(10)))));
  await answers.add(reply("fourth", new FileOf(20)));
  await answers.add(reply("fifth"));
  assertEquals(answers.isEmpty, false);
  first.resolve(reply("first"));
  await answers.flush();
  assertEquals(answers.isEmpty, true);
  assertEquals(await receive(client, 5), [
    "first of 0",
    "second of 0",
    "third of 10",
    "fourth of 20",
    "fifth of 0",
  ]);
});

Deno.test("AnswerQueue takes no more answers than are worked on at once before one is sent", async () => {
  const { answers } = open();
  const first = Promise.withResolvers<Reply>();
  await answers.add(first.promise);
  for (let due = 2; due < pipelineMax; due++) await answers.add(reply("early"));
  const added = watch(answers.add(reply("last")));
  await nextTurn();
  assertEquals(added.isSettled, false);
  first.resolve(reply("first"));
  await added.promise;
});

Deno.test("AnswerQueue has only a few files open at a time, and closes each that is sent", async () => {
  const { answers, client } = open({ capacity: 1 });
  const files = Array.from({ length: openBodiesMax + 1 }, () => new FileOf(2));
  const adding = watch((async () => {
    for (const file of files) await answers.add(reply("file", file));
  })());
  await nextTurn();
  assertEquals(adding.isSettled, false);
  assertEquals(await receive(client, files.length), files.map(() => "file of 2"));
  await adding.promise;
  await answers.flush();
  assertEquals(files.map(({ isOpen }) => isOpen), files.map(() => false));
});

Deno.test("AnswerQueue closes the bodies that it cannot send any more", async () => {
  const { answers, stream } = open();
  const bodies = [new FileOf(1), new FileOf(2)] as const;
  const late = Promise.withResolvers<Reply>();
  await answers.add(late.promise);
  await answers.add(reply("waiting", bodies[0]));
  stream.reset();
  late.resolve(reply("late", bodies[1]));
  await assertRejects(() => answers.flush(), ConnectionError);
  assertEquals(bodies.map(({ isOpen }) => isOpen), [false, false]);
  assertEquals(answers.isEmpty, true);
});

Deno.test("AnswerQueue sends nothing after an answer that never comes", async () => {
  const { answers } = open();
  const body = new FileOf(1);
  await answers.add(Promise.reject(new Error("the disk failed")));
  await answers.add(reply("after", body));
  await assertRejects(() => answers.flush(), Error, "the disk failed");
  assertEquals(body.isOpen, false);
});

/** A body that is read from a file, as far as the queue can tell. */
class FileOf implements BodyReader {
  isOpen = true;

  constructor(readonly size: number) {}

  async *chunks(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(this.size);
  }

  close(): void {
    this.isOpen = false;
  }
}

function open(
  options: Parameters<typeof memoryPair>[0] = {},
): { answers: AnswerQueue; client: FrameConnection; stream: MemoryStream } {
  const [stream, other] = memoryPair(options);
  const answers = new AnswerQueue(new FrameConnection(stream));
  return { answers, client: new FrameConnection(other), stream };
}

/** An answer with some words of its own, and a body if it is to have one. */
function reply(error: string, body?: BodyReader): Reply {
  if (body === undefined) return { answer: { type: "ERROR", status: 503, error } };
  const answer = {
    type: "FETCH",
    status: 200,
    sha256: "0".repeat(64),
    size: body.size,
    error,
  } as const;
  return { answer, body };
}

/** The words of the next answers, and how many bytes the body of each had. */
async function receive(client: FrameConnection, count: number): Promise<string[]> {
  const received = [];
  for (let i = 0; i < count; i++) {
    const frame = await client.receive();
    const body = await client.readBody(100);
    received.push(`${frame?.value.error} of ${body.length}`);
  }
  return received;
}

function watch(promise: Promise<void>): { readonly promise: Promise<void>; isSettled: boolean } {
  const watched = { promise, isSettled: false };
  void promise.finally(() => {
    watched.isSettled = true;
  });
  return watched;
}
