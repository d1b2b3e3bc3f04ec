/** The files that hold what TLS takes, named on the command line. */
import { Credentials, CredentialsError, type CredentialTexts } from "../protocol/credentials.ts";
import { type Flag, flagValue, optional, type ParsedFlags } from "./flags.ts";
import { LocalError, localFailure } from "./local_error.ts";
import { UsageError } from "./usage_error.ts";

/** The most bytes of a file: a few hundred certificates. */
const fileBytesMax = 1024 * 1024;

/** The files of {@linkcode CredentialTexts}. */
export type TlsFiles = CredentialTexts;

/** The flags of `ring server`. */
export const serverTlsFlags: readonly Flag[] = [
  { name: "tls-cert", value: "FILE", help: "encrypt, HTTP too, with the certificate in this file" },
  { name: "tls-key", value: "FILE", help: "and its key; kill -HUP reads the files again" },
  {
    name: "tls-ca",
    value: "FILE",
    help: "take ring connections with certificates of this CA only",
  },
];

/** The flags of `ring client`. */
export const clientTlsFlags: readonly Flag[] = [
  { name: "tls", help: "encrypt, and trust the CAs that browsers do" },
  { name: "tls-ca", value: "FILE", help: "encrypt, and trust the CA in this file alone" },
  {
    name: "tls-cert",
    value: "FILE",
    help: "show the certificate in this file, if the ring wants one",
  },
  { name: "tls-key", value: "FILE", help: "and its key" },
];

/**
 * The files that the flags of a server name; `undefined` if it is not to encrypt.
 *
 * @throws {UsageError} if some are missing.
 */
export function serverTlsFiles(parsed: ParsedFlags): TlsFiles | undefined {
  const files = tlsFiles(parsed);
  if (files.authority === undefined || files.certificate !== undefined) {
    return files.certificate === undefined ? undefined : files;
  }
  throw new UsageError("--tls-ca needs --tls-cert FILE and --tls-key FILE", parsed.command);
}

/**
 * The files that the flags of a client name; `undefined` if it is not to encrypt.
 *
 * @throws {UsageError} if some are missing.
 */
export function clientTlsFiles(parsed: ParsedFlags): TlsFiles | undefined {
  const files = tlsFiles(parsed);
  const isOn = parsed.switches.has("tls") || Object.keys(files).length > 0;
  return isOn ? files : undefined;
}

function tlsFiles(parsed: ParsedFlags): TlsFiles {
  const certificate = flagValue(parsed, "tls-cert");
  const key = flagValue(parsed, "tls-key");
  if ((certificate === undefined) !== (key === undefined)) {
    throw new UsageError("--tls-cert and --tls-key go together", parsed.command);
  }
  return {
    ...optional("certificate", certificate),
    ...optional("key", key),
    ...optional("authority", flagValue(parsed, "tls-ca")),
  };
}

const names = { certificate: "certificate", key: "key", authority: "CA" } as const;

/**
 * Reads what TLS takes.
 *
 * @throws {LocalError} if a file cannot be read, or what it holds cannot be used.
 */
export async function readCredentials(files: TlsFiles): Promise<Credentials> {
  const texts: { -readonly [Part in keyof CredentialTexts]: string } = {};
  for (const part of ["certificate", "key", "authority"] as const) {
    const path = files[part];
    if (path !== undefined) texts[part] = await readText(path, names[part]);
  }
  try {
    return new Credentials(texts);
  } catch (error) {
    if (!(error instanceof CredentialsError)) throw error;
    const path = JSON.stringify(files[error.part]);
    const text = `Cannot use the ${names[error.part]} in ${path}: it ${error.message}`;
    throw new LocalError(text, { cause: error });
  }
}

async function readText(path: string, what: string): Promise<string> {
  try {
    const { size } = await Deno.stat(path);
    if (size > fileBytesMax) {
      throw new LocalError(`Cannot read the ${what} in ${JSON.stringify(path)}: it is too large`);
    }
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw localFailure(cause, `read the ${what} in ${JSON.stringify(path)}`);
  }
}
