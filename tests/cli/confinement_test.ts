import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { runtimeFlags } from "../../lib/build/permissions.ts";
import { needs } from "../permission.ts";

const child = fileURLToPath(new URL("./confinement_child.ts", import.meta.url));

Deno.test({
  name: "a server that serves may read and write its data, and do nothing else to the machine",
  ignore: needs("net", "read", "write", "run").ignore || Deno.build.os === "windows",
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "ring-confined-" });
    try {
      await Deno.writeTextFile(`${directory}/outside`, "a secret");
      const { stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", ...runtimeFlags(), child, String(freePort())],
        cwd: directory,
        env: { NO_COLOR: "1" },
        stdout: "null",
      }).output();
      const said = new TextDecoder().decode(stderr);
      assertEquals(JSON.parse(said.trim().split("\n").at(-1) ?? ""), {
        outcomes: {
          "read outside": "NotCapable",
          "read above its data": "NotCapable",
          "write outside": "NotCapable",
          "run a program": "NotCapable",
          "connect to a public address": "NotCapable",
          "read its data": "done",
        },
        answers: [201, 201, 200, 200, 400, 400],
      });
      assertEquals(await Deno.readTextFile(`${directory}/outside`), "a secret");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
