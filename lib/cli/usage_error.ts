/** The command line is wrong. The message is one sentence; the exit code is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** @param command The command whose help explains it: `ring`, `ring server` or `ring client`. */
  constructor(message: string, readonly command: string = "ring") {
    super(message);
  }
}
