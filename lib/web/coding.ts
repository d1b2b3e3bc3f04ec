/** Content codings: in which forms a client takes a file (RFC 9110, section 12.5.3), and which are worth it. */

/** The codings that there are, the best first. */
export const codings = ["br", "gzip"] as const;

/** One of {@linkcode codings}. */
export type Coding = typeof codings[number];

/** The smallest and the largest file, in bytes, that is compressed. */
const compressedBytesMin = 1024;
const compressedBytesMax = 4 * 1024 * 1024;

/** The ending of the name of a file that is another one, compressed beforehand. */
export const sidecarEndings: Readonly<Record<Coding, string>> = { br: ".br", gzip: ".gz" };

const compressibleTypes =
  /^(?:text\/.+|application\/(?:javascript|json|wasm|xml|x-ndjson|toml|yaml|.+\+(?:json|xml))|image\/(?:svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(?:ttf|otf))$/;

/** A client's wish without `Accept-Encoding`: the file as it is. */
const identityOnly: readonly (Coding | "identity")[] = ["identity"];

/** Whether files of this type shrink when they are compressed, and so may come in several forms. */
export function isCompressible(contentType: string): boolean {
  const [type = ""] = contentType.split(";", 1);
  return compressibleTypes.test(type.trim().toLowerCase());
}

/** Whether a file of this size is compressed here. */
export function isWorthCompressing(size: number): boolean {
  return size > compressedBytesMin && size <= compressedBytesMax;
}

/**
 * The forms that an `Accept-Encoding` allows, the one to be preferred first. The file as it is, `identity`, is
 * allowed unless it is refused, and comes last unless the client says otherwise.
 */
export function acceptedCodings(header: string | undefined): readonly (Coding | "identity")[] {
  if (header === undefined || header === "") return identityOnly;
  const weights = parseWeights(header);
  const any = weights.get("*");
  const weightOf = (coding: Coding) =>
    weights.get(coding) ?? (coding === "gzip" ? weights.get("x-gzip") : undefined) ?? any ?? 0;
  // Not mentioned it is allowed, after everything that is.
  const identity = weights.get("identity") ?? any ?? Number.MIN_VALUE;
  const wishes = [
    ...codings.map((coding) => ({ coding, weight: weightOf(coding) })),
    { coding: "identity" as const, weight: identity },
  ];
  return wishes.filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ coding }) => coding);
}

/** The weights of all codings that a header names; a weight that is none is 0. */
function parseWeights(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const element of header.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = element.split(";").map((part) => part.trim());
    const [, weight = "1"] = parameters.map((parameter) => /^q\s*=\s*(.*)$/.exec(parameter))
      .find((match) => match !== null) ?? [];
    if (coding !== "") weights.set(coding, parseWeight(weight));
  }
  return weights;
}

function parseWeight(text: string): number {
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}
