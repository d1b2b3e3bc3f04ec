/** The file that holds the ring's secret, named on the command line or in the environment. */
import { Secret, SecretError } from "../protocol/secret.ts";
import { type Flag, flagValue, type ParsedFlags } from "./flags.ts";
import { LocalError, localFailure } from "./local_error.ts";

/** The environment variable that names the file unless the flag does. */
export const secretFileVariable = "RING_SECRET_FILE";

/** The most bytes of the file: a secret of the greatest length, and a line end. */
const fileBytesMax = 2048;

/** The flag that names the file. */
export const secretFileFlag: Flag = {
  name: "secret-file",
  value: "FILE",
  help: `the file with the ring's secret ($${secretFileVariable})`,
};

/** What the environment says. */
export interface Environment {
  /** The file with the secret, unless the flag names one. */
  readonly secretFile?: string;
}

/** Reads the environment of this process. */
export function readEnvironment(): Environment {
  const secretFile = Deno.env.get(secretFileVariable);
  // As with most programs, empty is as good as not set.
  return secretFile === undefined || secretFile === "" ? {} : { secretFile };
}

/** The file that the flag names, or else the environment. */
export function secretFile(parsed: ParsedFlags, environment: Environment): string | undefined {
  return flagValue(parsed, secretFileFlag.name) ?? environment.secretFile;
}

/**
 * Reads the secret from a file, without the white space around it.
 *
 * @throws {LocalError} if it cannot be read, or holds no secret.
 */
export async function readSecret(path: string): Promise<Secret> {
  const text = await readText(path);
  try {
    return new Secret(text.trim());
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new LocalError(
      `Cannot use the secret in ${JSON.stringify(path)}: it ${error.message}; ` +
        "`ring secret` prints a good one",
      { cause: error },
    );
  }
}

/** Whether others than the owner may read the file; never, where the system has no such modes. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  const { mode } = await Deno.stat(path);
  return mode !== null && (mode & 0o077) !== 0;
}

async function readText(path: string): Promise<string> {
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(fileBytesMax);
    let filled = 0;
    for (;;) {
      const count = await file.read(buffer.subarray(filled));
      // What is beyond makes it too long, which is said where the length is judged.
      if (count === null || count === 0) break;
      filled += count;
    }
    return new TextDecoder().decode(buffer.subarray(0, filled));
  } catch (cause) {
    throw localFailure(cause, `read the secret in ${JSON.stringify(path)}`);
  }
}
