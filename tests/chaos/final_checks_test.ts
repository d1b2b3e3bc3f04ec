/** That the last checks find what they are there to find, at servers of which a test says what they hold. */
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import type { FileRecord } from "../../lib/ring/file_record.ts";
import type { ClientAnswer } from "../../lib/ring/request.ts";
import { answering, type Script, withServer } from "../client/fake_server.ts";
import { needs } from "../permission.ts";
import { checkFiles } from "./final_checks.ts";
import { History } from "./history.ts";

/** What a server holds under one name: the record that it lists, that with which it answers, the bytes. */
interface Held {
  readonly listed: FileRecord;
  readonly given: FileRecord;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Case {
  readonly name: string;
  /** What servers 1 and 2 hold; 1 holds the first version of "a" unless told otherwise. */
  readonly first?: readonly Held[];
  readonly second: readonly Held[];
  /** Parts of the complaints, in their order. */
  readonly complaints: readonly string[];
}

const id = "0".repeat(32);
const version1 = held(1, "one");
const version2 = held(2, "two");

const cases: readonly Case[] = [
  { name: "say nothing of equal files", second: [version1], complaints: [] },
  { name: "find a file that one server lacks", second: [], complaints: ["absent", "is gone"] },
  {
    name: "find another version at one server",
    second: [version2],
    complaints: ["at server 1 and", "bytes that nobody put"],
  },
  {
    name: "find another content type at one server",
    second: [{ ...version1, listed: { ...version1.listed, contentType: "text/odd" } }],
    complaints: ["text/odd"],
  },
  {
    name: "find a file that is gone from all servers",
    first: [],
    second: [],
    complaints: ["is gone"],
  },
  {
    name: "find a server that gives other bytes than it lists",
    second: [{ ...version1, bytes: new TextEncoder().encode("eno") }],
    complaints: ["does not give all its files"],
  },
  {
    name: "find a server that gives another version than it lists",
    second: [{ ...version2, listed: version1.listed }],
    complaints: ["as it is not"],
  },
  {
    name: "find a file that nobody put",
    second: [version1, held(1, "one", "b")],
    complaints: ["that nobody put"],
  },
];
for (const { name, first = [version1], second, complaints } of cases) {
  Deno.test({
    name: `the last checks ${name}`,
    ...needs("net"),
    async fn() {
      const found = await check(first, second);
      assertEquals(found.length, complaints.length, found.join("\n"));
      for (const [index, part] of complaints.entries()) {
        assertEquals(found[index]?.includes(part), true, found.join("\n"));
      }
    },
  });
}

Deno.test({
  name: "the last checks find a server that does not answer",
  ...needs("net"),
  async fn() {
    let gone = "";
    await withServer(serving([]), (address) => {
      gone = address;
      return Promise.resolve();
    });
    const found: string[] = [];
    const onViolation = (text: string) => found.push(text);
    const servers = [{ name: "server 1", address: gone }];
    await checkFiles({ servers, history: new History(1, onViolation), onViolation });
    assertEquals(found.length === 1 && found[0]?.includes("Cannot reach"), true, found.join("\n"));
  },
});

/** Checks two servers after one PUT of the first version, which both counted for. */
async function check(first: readonly Held[], second: readonly Held[]): Promise<readonly string[]> {
  const found: string[] = [];
  const onViolation = (text: string) => found.push(text);
  const history = new History(2, onViolation);
  const { name, stamp, sha256 } = version1.given;
  history.beginPut(name, sha256);
  const times = { start: 0, end: 1 };
  history.add({
    type: "PUT",
    outcome: "done",
    name,
    stamp,
    sha256,
    copies: 2,
    server: 0,
    ...times,
  });
  await withServer(serving(first), (one) =>
    withServer(serving(second), async (two) => {
      const servers = [{ name: "server 1", address: one }, { name: "server 2", address: two }];
      await checkFiles({ servers, history, onViolation });
    }));
  return found;
}

/** A server that lists and gives these. */
function serving(all: readonly Held[]): Script {
  return answering((request): ClientAnswer | [ClientAnswer, Uint8Array] => {
    if (request.type === "LIST") {
      return { type: "LIST", status: 200, files: all.map(({ listed }) => listed) };
    }
    const found = all.find(({ given }) => given.name === request.item);
    if (found === undefined) return { type: "ERROR", status: 404, error: "Nothing" };
    const { given: { name: item, stamp, sha256 }, bytes } = found;
    return [{ type: "GET", item, status: 200, size: bytes.length, sha256, stamp }, bytes];
  });
}

function held(time: number, text: string, name = "a"): Held {
  const bytes = new TextEncoder().encode(text);
  const stamp = `${time.toString(16).padStart(12, "0")}-0000-${id}`;
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const record = { name, stamp, sha256, size: bytes.length, contentType: "text/plain" };
  return { listed: record, given: record, bytes };
}
