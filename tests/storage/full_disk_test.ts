import { assert } from "@std/assert";
import { needs } from "../permission.ts";

const permissions = needs("read", "write", "run");

/** Mounts a file system of 24 MiB at $1, in a name space of its own, and runs the rest there. */
const script = 'mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@"';

Deno.test({
  name: "DiskStore refuses writes on a full disk, and loses nothing",
  ignore: permissions.ignore || !canMount(),
  fn: async () => {
    const directory = Deno.makeTempDirSync();
    const { success, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["-rm", "sh", "-c", script, "sh", directory, Deno.execPath()],
        ...["run", "--quiet", "--no-prompt", "--allow-read", "--allow-write"],
        import.meta.resolve("./full_disk_child.ts"),
        directory,
      ],
    }).output();
    Deno.removeSync(directory, { recursive: true });
    assert(success, new TextDecoder().decode(stderr));
  },
});

/** Whether this user may mount file systems in a name space of their own: on Linux, mostly. */
function canMount(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const args = ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    const isAllowed = new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
    if (!isAllowed) console.info("The test of a full disk is ignored: it may not mount one.");
    return isAllowed;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
