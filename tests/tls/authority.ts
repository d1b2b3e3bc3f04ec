/**
 * Certificates for tests, made by OpenSSL when they are wanted: tests listen on addresses that are not known
 * before, which a certificate has to name.
 */
import { needs } from "../permission.ts";
import { Credentials, type CredentialTexts } from "../../lib/protocol/credentials.ts";

/** What tests that make certificates need. */
export const needsOpenssl: { ignore: boolean } = (() => {
  const needed = needs("net", "read", "write", "run", "env");
  if (needed.ignore || hasOpenssl()) return needed;
  console.info("Some tests are ignored: they need OpenSSL 3.");
  return { ignore: true };
})();

/** The key and the certificate of one host. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is to be. */
export interface IssueOptions {
  readonly hosts?: readonly string[];
  /** For how long it is good; with -1 it expired yesterday. */
  readonly days?: number;
  /** An extension that says what it may be used for; anything, without. */
  readonly use?: string;
}

/** A certificate authority, whose files are removed at the end. */
export class Authority implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  static async create(name = "ring test CA"): Promise<Authority> {
    const authority = new Authority(await Deno.makeTempDir({ prefix: "ring-tls-" }));
    await authority.#openssl([
      ...["req", "-x509", ...newKey, "-days", "30", "-subj", `/CN=${name}`],
      ...["-keyout", "ca.key", "-out", "ca.pem"],
    ]);
    return authority;
  }

  /** The path of a file of its own. */
  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  /** Its certificate. */
  get certificate(): string {
    return Deno.readTextFileSync(this.path("ca.pem"));
  }

  /** Makes `NAME.pem` and `NAME.key` as wanted. */
  async issue(
    name: string,
    { hosts = ["IP:127.0.0.1"], days = 30, use }: IssueOptions = {},
  ): Promise<Issued> {
    await this.#openssl([
      ...["req", ...newKey, "-subj", `/CN=${name}`],
      ...["-addext", `subjectAltName=${hosts.join(",")}`, "-addext", "basicConstraints=CA:FALSE"],
      ...(use === undefined ? [] : ["-addext", use]),
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
    await this.#openssl([
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key"],
      ...["-copy_extensions", "copy", "-days", `${days}`, "-out", `${name}.pem`],
    ]);
    await Deno.chmod(this.path(`${name}.key`), 0o600);
    const [certificate, key] = await Promise.all(
      [`${name}.pem`, `${name}.key`].map((file) => Deno.readTextFile(this.path(file))),
    );
    return { certificate: certificate ?? "", key: key ?? "" };
  }

  /** New credentials of this authority, which believe it. */
  async credentials(name: string, hosts?: readonly string[]): Promise<Credentials> {
    return new Credentials({
      ...await this.issue(name, hosts === undefined ? {} : { hosts }),
      authority: this.certificate,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }

  async #openssl(args: readonly string[]): Promise<void> {
    const command = new Deno.Command("openssl", {
      args: [...args],
      cwd: this.directory,
      stderr: "piped",
    });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(`openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** Credentials that nobody has looked at, such as those of somebody who uses what has expired. */
export function unchecked(texts: CredentialTexts): Credentials {
  return Object.assign(new Credentials({}), texts);
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

function hasOpenssl(): boolean {
  try {
    const { stdout } = new Deno.Command("openssl", { args: ["version"] }).outputSync();
    return /^OpenSSL ([3-9]|[1-9]\d)/.test(new TextDecoder().decode(stdout));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
