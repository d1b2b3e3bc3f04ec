/** Credentials: what one side of a TLS connection shows, and whom it believes. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** What is wrong with a text; the message is the part after the name of its file. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
  constructor(readonly part: keyof CredentialTexts, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Certificates and keys, as PEM (RFC 7468). */
export interface CredentialTexts {
  /** This side's certificate, and after it those between it and its authority. */
  readonly certificate?: string;
  readonly key?: string;
  /** The certificate of the authority whose certificates the others have, or several. */
  readonly authority?: string;
}

/** Texts that belong together and can be used now. */
export class Credentials implements CredentialTexts {
  readonly certificate?: string;
  readonly key?: string;
  readonly authority?: string;
  readonly #parsed: X509Certificate | undefined;

  /**
   * @param now In milliseconds since 1970.
   * @throws {CredentialsError} if one of the texts cannot be used.
   */
  constructor(texts: CredentialTexts, now = Date.now()) {
    const { certificate, key, authority } = texts;
    if (authority !== undefined) {
      assertValid("authority", parseCertificate("authority", authority), now);
      this.authority = authority;
    }
    if (certificate === undefined || key === undefined) return;
    const parsed = parseCertificate("certificate", certificate);
    if (!parsed.checkPrivateKey(parseKey(key))) {
      throw new CredentialsError("key", "is not the key of the certificate");
    }
    assertValid("certificate", parsed, now);
    this.certificate = certificate;
    this.key = key;
    this.#parsed = parsed;
  }

  /** The SHA-256 of the certificate; there may be none. */
  get endPoint(): string | undefined {
    return this.#parsed?.fingerprint256;
  }

  /** Until when the certificate is valid; there may be none. */
  get validTo(): Date | undefined {
    return this.#parsed === undefined ? undefined : new Date(this.#parsed.validTo);
  }

  /** Whether the certificate is for this host. */
  isFor(host: string): boolean {
    const subjectaltname = this.#parsed?.subjectAltName;
    if (subjectaltname === undefined) return false;
    // As a dialler judges it, which is not how X509Certificate.checkHost does in Deno: that knows no `*`.
    const shown: Partial<PeerCertificate> = { subjectaltname };
    return checkServerIdentity(host, shown as PeerCertificate) === undefined;
  }

  /** What the certificate is for, in words. */
  get hosts(): string {
    return this.#parsed?.subjectAltName ?? "no host";
  }
}

function parseCertificate(part: "certificate" | "authority", text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new CredentialsError(part, "holds no certificate as PEM", { cause });
  }
}

function parseKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new CredentialsError("key", "holds no private key as PEM without a password", { cause });
  }
}

function assertValid(
  part: "certificate" | "authority",
  { validFrom, validTo }: X509Certificate,
  now: number,
): void {
  const from = new Date(validFrom);
  const to = new Date(validTo);
  if (now > to.getTime()) throw new CredentialsError(part, `expired on ${dayOf(to)}`);
  if (now < from.getTime()) throw new CredentialsError(part, `is not valid before ${dayOf(from)}`);
}

/** A day, as `2027-11-30`. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
