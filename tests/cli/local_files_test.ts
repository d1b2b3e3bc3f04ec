import { assertEquals, assertRejects } from "@std/assert";
import { describeFailure } from "../../lib/cli/failure.ts";
import { findLocalFiles } from "../../lib/cli/local_files.ts";
import { LocalError } from "../../lib/cli/local_error.ts";
import { openFile } from "../../lib/cli/put_source.ts";
import { saveFile } from "../../lib/cli/saved_file.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { needs } from "../permission.ts";

function test(name: string, fn: (folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ...needs("read", "write"),
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "ring-cli-" });
      try {
        await fn(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

test("findLocalFiles() names a file by the last part of its path, or as told", async (folder) => {
  await Deno.writeTextFile(`${folder}/a.txt`, "12345");
  const path = `${folder}/a.txt`;
  assertEquals((await findLocalFiles([path], undefined)).files, [{ path, name: "a.txt", size: 5 }]);
  assertEquals((await findLocalFiles([path], "b")).files, [{ path, name: "b", size: 5 }]);
});

test("findLocalFiles() finds every file in a folder, in order", async (folder) => {
  await Deno.mkdir(`${folder}/css/deep`, { recursive: true });
  await Deno.mkdir(`${folder}/empty`);
  for (const name of ["index.html", "css/site.css", "css/deep/x", ".hidden"]) {
    await Deno.writeTextFile(`${folder}/${name}`, name);
  }
  for (const path of [folder, `${folder}/`, `${folder}//`]) {
    const { files, failures, skipped } = await findLocalFiles([path], undefined);
    const names = files.map((file) => file.name);
    assertEquals(names, [".hidden", "css/deep/x", "css/site.css", "index.html"]);
    assertEquals([failures.length, skipped.length], [0, 0]);
  }
});

test("findLocalFiles() follows links to files, and skips other links", async (folder) => {
  await Deno.mkdir(`${folder}/site`);
  await Deno.writeTextFile(`${folder}/target`, "12345");
  await Deno.symlink(`${folder}/target`, `${folder}/site/file`);
  await Deno.symlink(`${folder}/site`, `${folder}/site/loop`);
  await Deno.symlink(`${folder}/nowhere`, `${folder}/site/dangling`);
  const { files, failures, skipped } = await findLocalFiles([`${folder}/site`], undefined);
  assertEquals(files.map(({ name, size }) => [name, size]), [["file", 5]]);
  assertEquals(failures, []);
  assertEquals(skipped.map((sentence) => sentence.replace(/^.*: /, "")), [
    "the link leads nowhere",
    "the link leads to no file",
  ]);
});

test("findLocalFiles() reports what is missing, and goes on", async (folder) => {
  await Deno.writeTextFile(`${folder}/a`, "");
  const found = await findLocalFiles([`${folder}/missing`, `${folder}/a`], undefined);
  assertEquals(found.files.map((file) => file.name), ["a"]);
  const [failure] = found.failures;
  assertEquals(describeFailure(failure?.error).message.endsWith("no such file or folder"), true);
});

test("findLocalFiles() refuses two files of one name, and a name for a folder", async (folder) => {
  await Deno.mkdir(`${folder}/b`);
  await Deno.writeTextFile(`${folder}/a`, "");
  await Deno.writeTextFile(`${folder}/b/a`, "");
  const twice = () => findLocalFiles([`${folder}/a`, `${folder}/b/a`], undefined);
  await assertRejects(twice, UsageError, 'would both be stored as "a"');
  await assertRejects(() => findLocalFiles([folder], "x"), UsageError, "is a folder");
});

for (const size of [0, 10, 64 * 1024, 64 * 1024 + 1, 600_000]) {
  test(`openFile() reads ${size} bytes`, async (folder) => {
    const expected = new Uint8Array(size).map((_, index) => index % 251);
    await Deno.writeFile(`${folder}/a`, expected);
    using source = await openFile(`${folder}/a`);
    assertEquals(source.size, size);
    assertEquals(await gather(source.body), expected);
  });
}

test("saveFile() writes what comes, through links, and replaces what was there", async (folder) => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  await Deno.symlink(`${folder}/a`, `${folder}/link`);
  await saveFile(`${folder}/link`, chunks("new ", "bytes"));
  await saveFile(`${folder}/b`, chunks());
  assertEquals(await Deno.readTextFile(`${folder}/a`), "new bytes");
  assertEquals((await Deno.lstat(`${folder}/link`)).isSymlink, true);
  assertEquals(await namesIn(folder), ["a", "b", "link"]);
});

test("saveFile() leaves everything as it was when the bytes break off", async (folder) => {
  await Deno.writeTextFile(`${folder}/a`, "old");
  async function* broken() {
    yield await Promise.resolve(new Uint8Array(10));
    throw new Error("Broken off");
  }
  for (const name of ["a", "b"]) {
    await assertRejects(() => saveFile(`${folder}/${name}`, broken()), Error, "Broken off");
  }
  assertEquals(await Deno.readTextFile(`${folder}/a`), "old");
  assertEquals(await namesIn(folder), ["a"]);
});

test("saveFile() says why it cannot write", async (folder) => {
  const intoFolder = () => saveFile(folder, chunks("x"));
  await assertRejects(intoFolder, LocalError, "it is a folder");
  const intoNothing = () => saveFile(`${folder}/no/a`, chunks("x"));
  await assertRejects(intoNothing, LocalError, "there is no such file or folder");
});

test("saveFile() writes to a device as it is", async () => {
  await saveFile("/dev/null", chunks("x"));
  assertEquals((await Deno.stat("/dev/null")).isFile, false);
});

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name)).sort();
}

async function gather(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  // Copies, as the memory of a chunk is used again for the next.
  const parts = await Array.fromAsync(body, (chunk) => new Uint8Array(chunk));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array, void, void> {
  for (const part of parts) yield await Promise.resolve(new TextEncoder().encode(part));
}
