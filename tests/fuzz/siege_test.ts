import { assertEquals } from "@std/assert";
import { needs } from "../permission.ts";
import { percentile } from "./bystander.ts";
import { fuzzFlood } from "./flood.ts";
import { fuzzHttp, judge } from "./http.ts";
import { fuzzMember } from "./member.ts";
import { fuzzServer } from "./server.ts";

const permissions = {
  ignore: needs("net", "read", "write", "run", "env").ignore || Deno.build.os !== "linux",
};
const lines: string[] = [];
const options = { seed: "test", print: (line: string) => lines.push(line) };

const campaigns = [
  { name: "hostile frames", run: () => fuzzServer({ ...options, frames: 400 }) },
  { name: "malformed requests", run: () => fuzzHttp({ ...options, frames: 128 }) },
  { name: "a flood of connections", run: () => fuzzFlood({ ...options, frames: 300 }) },
  { name: "a member that lies", run: () => fuzzMember({ ...options, frames: 120 }) },
];

for (const { name, run } of campaigns) {
  Deno.test({
    name: `three servers stand ${name}, lose nothing, and are as before when it is over`,
    ...permissions,
    fn: async () => assertEquals(await run(), []),
  });
}

Deno.test("judge() wants a refusal where nothing may be guessed, and never a failure", () => {
  const answer = (...statuses: number[]) => statuses.map((one) => `HTTP/1.1 ${one} X\r\n`).join("");
  assertEquals(judge("", true), undefined);
  assertEquals(judge(answer(400), true), undefined);
  assertEquals(judge(answer(100, 400), true), undefined);
  assertEquals(judge(answer(200, 200), false), undefined);
  assertEquals(judge(answer(200), true)?.slice(0, 19), "it was answered 200");
  assertEquals(judge(answer(400, 404), true)?.slice(0, 23), "it was answered 2 times");
  assertEquals(judge(answer(500), false)?.slice(0, 19), "it was answered 500");
});

Deno.test("percentile() is the time that a part of the answers needed at the most", () => {
  const times = Array.from({ length: 100 }, (_, n) => 100 - n);
  assertEquals([0.5, 0.99, 1].map((part) => percentile(times, part)), [51, 100, 100]);
  assertEquals(percentile([], 0.5), 0);
});
