/**
 * Tests that need a permission are ignored when it was not given, so that `deno test` without flags
 * passes: what needs none runs, the rest says why it does not.
 */

const reported = new Set<string>();

/**
 * For the definition of a test: ignores it if a permission is missing, and says so, once for each set
 * of permissions. Never prompts. `net` is for loopback.
 *
 * @example
 * ```ts ignore
 * Deno.test({ name: "a file is kept", ...needs("read", "write"), fn: keepFile });
 * ```
 */
export function needs(...names: Deno.PermissionName[]): { ignore: boolean } {
  const missing = names.filter((name) => !isGranted(name));
  if (missing.length === 0) return { ignore: false };
  const flags = missing.map((name) => `--allow-${name}`).join(" ");
  if (!reported.has(flags)) console.info(`Some tests are ignored: they need ${flags}.`);
  reported.add(flags);
  return { ignore: true };
}

function isGranted(name: Deno.PermissionName): boolean {
  const descriptor: Deno.PermissionDescriptor = name === "net"
    ? { name, host: "127.0.0.1" }
    : { name };
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** Defines a test that listens and connects. */
export function testWithNet(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, ...needs("net"), fn });
}
