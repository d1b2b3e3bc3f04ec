/**
 * A ring's shared secret: whoever knows it belongs to the ring.
 *
 * It never goes over the ring's connections. Each side proves that it knows it, by an HMAC-SHA-256
 * (RFC 2104) of what the two have just told each other.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

/** The fewest and the most characters of a secret. */
export const secretLengthMin = 16;
export const secretLengthMax = 1024;

/** How many random bytes a generated secret has: as many as the key of HMAC-SHA-256 is worth. */
const generatedBytes = 32;

/** A text is no secret; the message is the part after "the secret". */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

/** A secret. Nothing prints it: it has no text. */
export class Secret {
  readonly #text: string;

  /**
   * @param text Visible ASCII characters, as it is also sent in a header field of HTTP.
   * @throws {SecretError} if it is shorter, longer, or has other characters.
   */
  constructor(text: string) {
    if (text.length < secretLengthMin) {
      throw new SecretError(`has ${text.length} characters, and needs ${secretLengthMin}`);
    }
    if (text.length > secretLengthMax) {
      throw new SecretError(`has more than ${secretLengthMax} characters`);
    }
    if (!/^[\x21-\x7e]+$/.test(text)) {
      throw new SecretError("has spaces, line ends or characters that are not ASCII");
    }
    this.#text = text;
  }

  /** A good new secret, of 43 letters, digits, `-` and `_`. */
  static generate(): string {
    return randomBytes(generatedBytes).toString("base64url");
  }

  /**
   * The proof, in hex, that whoever makes it knows the secret and speaks of these facts.
   *
   * @param purpose What the proof is for, so that one made for something else is none.
   */
  prove(purpose: string, facts: readonly string[]): string {
    // JSON tells where one fact ends and the next begins.
    return createHmac("sha256", this.#text).update(JSON.stringify([purpose, ...facts])).digest(
      "hex",
    );
  }

  /** Whether a proof is that of these facts; takes as long whether it is or not. */
  verifies(proof: string, purpose: string, facts: readonly string[]): boolean {
    return isSame(proof, this.prove(purpose, facts));
  }

  /** Whether a text is the secret; takes as long whether it is or not. */
  is(text: string): boolean {
    return isSame(text, this.#text);
  }
}

/** Compares hashes, as texts of different lengths cannot be compared in constant time. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hashOf(one), hashOf(other));
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
