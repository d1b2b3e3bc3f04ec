/** What goes wrong with files and folders of this machine. */

/** A file or folder of this machine cannot be used; the message is one sentence. */
export class LocalError extends Error {
  override readonly name = "LocalError";
}

/**
 * What to throw when a file of this machine could not be used: a sentence for what the system says, or
 * the error itself if it is not from the system.
 *
 * @param what The part after "Cannot": `read "a.html"`.
 */
export function localFailure(cause: unknown, what: string): unknown {
  const reason = localReason(cause);
  return reason === undefined ? cause : new LocalError(`Cannot ${what}: ${reason}`, { cause });
}

function localReason(cause: unknown): string | undefined {
  // Errors of the system have a code; ours, and those of the network behind them, do not.
  if (!(cause instanceof Error && "code" in cause)) return undefined;
  if (cause instanceof Deno.errors.NotFound) return "there is no such file or folder";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder";
  if (cause instanceof Deno.errors.NotADirectory) return "a part of the path is not a folder";
  // What the system says ends in its number: `No space left on device (os error 28)`.
  const system = /^(.+?) \(os error \d+\)/.exec(cause.message)?.[1];
  return system === undefined ? undefined : `${system.charAt(0).toLowerCase()}${system.slice(1)}`;
}
