/**
 * Readers: each takes one value out of parsed JSON, and returns it typed or throws.
 *
 * Small readers make larger ones, so that the description of a message is also its check:
 *
 * ```ts
 * const readVisit = objectOf({ id: readId, deed: oneOf(deeds) });
 * ```
 *
 * Objects are made anew from the fields that are known, so a field that is not, `__proto__` among
 * them, goes no further, and later versions may add fields.
 */
import { parseAddress } from "../ring/address.ts";
import type { Address } from "../ring/address.ts";
import { bucketCount, bucketDigits } from "../ring/file_record.ts";
import type { MemberId } from "../ring/member.ts";
import { positionDigitsMax } from "../ring/position.ts";
import { isStamp } from "../ring/stamp.ts";
import type { Stamp } from "../ring/stamp.ts";
import { isJsonObject } from "./frame.ts";
import { isLongerThan, nameError } from "./name.ts";
import { ProtocolError } from "./protocol_error.ts";
import { quoteText } from "./quote.ts";

/** The most characters in the sentence of an `error`. */
export const errorLengthMax = 4096;

/** The most characters in a content type. */
export const contentTypeLengthMax = 255;

/** The most characters in what names a start of a server, an upload, or a version. */
export const labelLengthMax = 128;

/**
 * Reads one value; `at` says where it stands, for example `UPDATE.members[3].id`. A value that is
 * not there is `undefined`. Throws a {@linkcode ProtocolError} for what is not a `T`.
 */
export type Reader<T> = (value: unknown, at: string) => T;

type Shape = Readonly<Record<string, Reader<unknown>>>;
type Fields<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

/** What the readers of an object's fields make of it. */
export type ObjectOf<R extends Shape, O extends Shape> = Fields<R> & Partial<Fields<O>>;

/** Reads an object by a reader for each field; `optional` ones may be absent. */
export function objectOf<R extends Shape, O extends Shape = Record<never, never>>(
  required: R,
  optional?: O,
): Reader<ObjectOf<R, O>> {
  const requiredFields = Object.entries(required);
  const optionalFields = Object.entries(optional ?? {});
  return (value, at) => {
    if (!isJsonObject(value)) throw mismatch(at, { is: value, should: "an object" });
    const result: Record<string, unknown> = {};
    for (const [key, read] of requiredFields) {
      result[key] = read(Object.hasOwn(value, key) ? value[key] : undefined, `${at}.${key}`);
    }
    for (const [key, read] of optionalFields) {
      if (Object.hasOwn(value, key)) result[key] = read(value[key], `${at}.${key}`);
    }
    // Every field was put there by its own reader, which the compiler cannot see.
    return result as ObjectOf<R, O>;
  };
}

/** Reads an array of at most `lengthMax` values. */
export function listOf<T>(read: Reader<T>, lengthMax: number): Reader<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw mismatch(at, { is: value, should: "an array" });
    if (value.length > lengthMax) {
      throw new ProtocolError(
        413,
        `Cannot read ${at}: it has ${value.length} items, and may have ${lengthMax}`,
      );
    }
    return value.map((item, index) => read(item, `${at}[${index}]`));
  };
}

/** Reads one of a few strings or numbers. */
export function oneOf<const T extends string | number>(values: readonly T[]): Reader<T> {
  const should = values.map((value) => JSON.stringify(value)).join(" or ");
  return (value, at) => {
    const found = values.find((one) => one === value);
    if (found === undefined) throw mismatch(at, { is: value, should });
    return found;
  };
}

/** Reads a string that passes a test, described by `should`. */
export function textThat(test: (text: string) => boolean, should: string): Reader<string> {
  return (value, at) => {
    if (typeof value === "string" && test(value)) return value;
    throw mismatch(at, { is: value, should });
  };
}

/** Reads an empty string, or what `read` reads. */
export function emptyOr<T extends string>(read: Reader<T>): Reader<T | ""> {
  return (value, at) => value === "" ? "" : read(value, at);
}

/** Reads any text that is valid Unicode, of at most so many bytes of UTF-8. */
export function textUpTo(bytesMax: number): Reader<string> {
  return textThat(
    (text) => !isLongerThan(text, bytesMax) && text.isWellFormed(),
    `text of at most ${bytesMax} bytes`,
  );
}

/** Reads an integer from 0 to 2^53 - 1. */
export const readCount: Reader<number> = (value, at) => {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw mismatch(at, { is: value, should: "an integer from 0 to 2^53 - 1" });
};

/** Reads the `size` of a message whose body follows its frame. */
export const readBodySize: Reader<number> = (value, at) => {
  if (value !== undefined) return readCount(value, at);
  throw new ProtocolError(
    400,
    `Cannot read ${at}: it is missing, and must say how many bytes follow`,
  );
};

/** Reads the `true` of a flag that is absent when it is not set. */
export const readTrue: Reader<true> = (value, at) => {
  if (value === true) return value;
  throw mismatch(at, { is: value, should: "true or absent" });
};

/** Reads a flag that is always there. */
export const readBoolean: Reader<boolean> = (value, at) => {
  if (typeof value === "boolean") return value;
  throw mismatch(at, { is: value, should: "true or false" });
};

/** Reads one of HTTP's status numbers. */
export const readStatus: Reader<number> = (value, at) => {
  if (typeof value === "number" && Number.isInteger(value) && value >= 100 && value <= 599) {
    return value;
  }
  throw mismatch(at, { is: value, should: "an integer from 100 to 599" });
};

/** Reads the name of a file (`name.ts`). */
export const readName: Reader<string> = (value, at) => {
  if (typeof value !== "string") throw mismatch(at, { is: value, should: "a string" });
  const error = nameError(value);
  if (error !== undefined) throw new ProtocolError(400, error);
  return value;
};

/** Reads the id of a member: 128 bits. */
export const readId: Reader<MemberId> = textThat(
  (text) => /^[0-9a-f]{32}$/.test(text),
  "32 lower-case hexadecimal digits",
);

/** Reads a SHA-256, of a file or of many: 256 bits. */
export const readDigest: Reader<string> = textThat(
  (text) => /^[0-9a-f]{64}$/.test(text),
  "64 lower-case hexadecimal digits",
);

/** Reads the digests of all buckets, one after the other (`file_record.ts`). */
export const readBucketDigests: Reader<string> = textThat(
  (text) => text.length === bucketCount * bucketDigits && /^[0-9a-f]*$/.test(text),
  `${bucketCount * bucketDigits} lower-case hexadecimal digits`,
);

/** Reads a stamp (`stamp.ts`). */
export const readStamp: Reader<Stamp> = textThat(isStamp, "a stamp");

/** Reads an address (`address.ts`). */
export const readAddress: Reader<Address> = textThat(
  (text) => parseAddress(text) !== undefined,
  "host:port",
);

/** Reads a position on the circle (`position.ts`), which is empty for a newcomer. */
export const readPosition: Reader<string> = textThat(
  (text) => text.length <= positionDigitsMax && /^(?:[0-9a-f]{2})*$/.test(text),
  `at most ${positionDigitsMax} lower-case hexadecimal digits, in pairs`,
);

/** Reads where a web front is: `http://host:port/`, or the same with https. */
export const readWeb: Reader<string> = textThat(
  (text) => {
    const [, address = ""] = /^https?:\/\/([^/]+)\/$/.exec(text) ?? [];
    return parseAddress(address) !== undefined;
  },
  "http://host:port/",
);

/** Reads a content type: printable ASCII, so that it can stand in an HTTP header; may be empty. */
export const readContentType: Reader<string> = textThat(
  (text) => text.length <= contentTypeLengthMax && /^[ -~]*$/.test(text),
  `at most ${contentTypeLengthMax} printable ASCII characters`,
);

/** Reads what names a start of a server, an upload, or a version. */
export const readLabel: Reader<string> = textThat(
  (text) => text.length <= labelLengthMax && /^[!-~]+$/.test(text),
  `1 to ${labelLengthMax} printable ASCII characters without spaces`,
);

/** Reads the sentence of an `error`. */
export const readError: Reader<string> = textThat(
  (text) => text.length <= errorLengthMax,
  `text of at most ${errorLengthMax} characters`,
);

function mismatch(at: string, { is, should }: { is: unknown; should: string }): ProtocolError {
  return is === undefined
    ? new ProtocolError(400, `Cannot read ${at}: it is missing, and must be ${should}`)
    : new ProtocolError(400, `Cannot read ${at}: it must be ${should}, not ${describe(is)}`);
}

/** A value that JSON can have, in a few words. */
function describe(value: unknown): string {
  if (typeof value === "string") return quoteText(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
