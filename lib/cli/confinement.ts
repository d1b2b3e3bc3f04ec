/**
 * Confinement: a program gives up reading and writing files, but for those that it names.
 *
 * The executable is permitted the whole file system, as nobody knows when it is built where its users
 * keep their files. A server knows when it starts, and then needs nothing else: what it could be tricked
 * into after that, Deno refuses. There is no way back.
 *
 * The permission is given for the root directory, and not for everything: of that, Deno takes nothing back
 * in part (`permissions.ts` in `lib/build/`).
 */

/** What a program keeps. */
export interface Kept {
  /** Files, and directories with all that is in them, that it goes on reading. */
  readonly read: readonly string[];
  /** And that it goes on writing. */
  readonly write: readonly string[];
}

/** The directory that all others are in. */
const root = "/";

/** Gives up all but what is kept; nothing where the program was started with other permissions. */
export function confine(kept: Kept): void {
  for (const name of ["read", "write"] as const) {
    for (const path of kept[name]) keep(name, path);
    Deno.permissions.revokeSync({ name, path: root });
  }
}

/** What is permitted as a part of the root directory has to be permitted by itself. */
function keep(name: "read" | "write", path: string): void {
  const descriptor = { name, path };
  // Asking for what is not permitted could prompt.
  const { state } = Deno.permissions.querySync(descriptor);
  if (state === "granted") Deno.permissions.requestSync(descriptor);
}
