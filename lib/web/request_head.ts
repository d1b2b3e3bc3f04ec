/**
 * Request heads: what no request may look like, whatever it asks for. Of what two servers could understand in
 * two ways, nothing is guessed (RFC 9112, sections 3.2 and 6.1).
 */
import type { IncomingMessage } from "node:http";
import type { Problem } from "./problem.ts";

/** How many fields the header of a request may have. */
export const headerFieldsMax = 100;

/** What may stand in a `Host`: a name or an address, and a port (RFC 3986, section 3.2). */
const hostPattern = /^[\w.~!$&'()*+,;=%:[\]-]*$/;

/** Why a request cannot be served, by its head alone; `undefined` if it can. */
export function headProblem(request: IncomingMessage): Problem | undefined {
  const { rawHeaders, headers, httpVersionMajor } = request;
  if (httpVersionMajor !== 1) return problem(505, "This server speaks HTTP/1.1");
  if (rawHeaders.length > 2 * headerFieldsMax) {
    // The fields that are left out could be conditions, without which a write does harm.
    return problem(431, `The header has more than ${headerFieldsMax} fields`);
  }
  const detail = hostError(request);
  if (detail !== undefined) return problem(400, detail);
  const coding = headers["transfer-encoding"];
  if (coding === undefined || coding.trim().toLowerCase() === "chunked") return undefined;
  return problem(501, "The only transfer coding that is understood is chunked");
}

/** HTTP/1.0 knows no `Host`, and need not have one. */
function hostError({ rawHeaders, httpVersionMinor }: IncomingMessage): string | undefined {
  const [host, another] = hostsOf(rawHeaders);
  if (host === undefined) return httpVersionMinor === 0 ? undefined : "The field Host is missing";
  if (another !== undefined) return "There is more than one field Host";
  return hostPattern.test(host) ? undefined : "The field Host is neither a name nor an address";
}

/** The values of all fields `Host`, among names and values in turn: `headers` has but the first. */
function hostsOf(rawHeaders: readonly string[]): readonly string[] {
  const hosts: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== 4 || name.toLowerCase() !== "host") continue;
    hosts.push(rawHeaders[index + 1] ?? "");
  }
  return hosts;
}

function problem(status: number, detail: string): Problem {
  return { status, detail, headers: { "Connection": "close" } };
}
