/** What the client library does with the requests that overlap on one connection. */
import { assert, assertEquals } from "@std/assert";
import { Pipeline } from "../../lib/client/pipeline.ts";
import { FrameConnection } from "../../lib/protocol/connection.ts";
import { encodeAnswer } from "../../lib/protocol/encode.ts";
import type { FileAnswer } from "../../lib/ring/request.ts";
import { memoryPair } from "../protocol/memory_stream.ts";
import {
  bytes,
  failure,
  fileAnswer,
  gather,
  hashOf,
  hasty,
  patient,
  text,
} from "./scripted_client.ts";

Deno.test("Pipeline sends requests at once, and gives each its own answer", async () => {
  const { pipeline, server } = open();
  const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
  const asked = names.map((item) => pipeline.ask({ type: "DELETE", item }));
  for (const item of names) assertEquals((await server.receive())?.value.item, item);
  for (const item of names) {
    await server.send(encodeAnswer(fileAnswer("DELETE", item, { status: 200 })));
  }
  const answers = await Promise.all(asked);
  assertEquals(answers.map((answer) => "item" in answer && answer.item), names);
});

Deno.test("Pipeline gives no answer before the body of the one before is read", async () => {
  const { pipeline, server } = open();
  const [first, second] = [bytes("the first"), bytes("the second")];
  const asked = ["a", "b"].map((item) => pipeline.ask({ type: "GET", item }));
  await server.send(encodeAnswer(file("a", first)), first, encodeAnswer(file("b", second)), second);
  await asked[0];
  let isAnswered = false;
  void asked[1]?.then(() => {
    isAnswered = true;
  });
  let got = "";
  for await (const chunk of pipeline.body({ type: "GET", item: "a" }, hashOf(first))) {
    got += text(chunk);
    assertEquals(isAnswered, false);
  }
  assertEquals(got, "the first");
  await asked[1];
  const body = pipeline.body({ type: "GET", item: "b" }, hashOf(second));
  assertEquals(await gather(body), second);
  assert(!pipeline.closed);
});

Deno.test("Pipeline fails all requests under way when the connection breaks", async () => {
  const { pipeline, server } = open();
  const asked = [
    pipeline.ask({ type: "STATUS" }),
    pipeline.ask({ type: "DELETE", item: "a" }),
    pipeline.ask({ type: "GET", item: "b" }),
  ];
  server.close();
  const errors = await Promise.all(asked.map(failure));
  assertEquals(errors.map(({ kind }) => kind), ["unavailable", "unknown", "unavailable"]);
  const late = await failure(pipeline.ask({ type: "DELETE", item: "c" }));
  assertEquals(late.kind, "unavailable", "it was not even sent");
});

Deno.test("Pipeline closes for the reason that came first", async () => {
  const { pipeline } = open();
  const asked = pipeline.ask({ type: "STATUS" });
  assertEquals(
    pipeline.abandon({ type: "GET", item: "a" }, "the moon was full").message,
    'Cannot get "a" at 127.0.0.1:1: the moon was full',
  );
  pipeline.close();
  const message = "Cannot ask for the status at 127.0.0.1:1: the moon was full";
  assertEquals((await failure(asked)).message, message);
});

Deno.test("Pipeline gives up a server that does not answer", async () => {
  const { pipeline } = open(hasty);
  const error = await failure(pipeline.ask({ type: "STATUS" }));
  assertEquals(error.kind, "unavailable");
  assertEquals(
    error.message,
    "Cannot ask for the status at 127.0.0.1:1: nothing came or went for 0.1 s",
  );
});

/** A pipeline, and the other end of its connection. */
function open(
  { timeoutMs }: { timeoutMs: number } = patient,
): { pipeline: Pipeline; server: FrameConnection } {
  const [near, far] = memoryPair();
  const connection = new FrameConnection(near);
  const pipeline = new Pipeline({ connection, address: "127.0.0.1:1", timeoutMs });
  return { pipeline, server: new FrameConnection(far) };
}

function file(item: string, body: Uint8Array): FileAnswer {
  return fileAnswer("GET", item, { status: 200, size: body.length, sha256: hashOf(body) });
}
