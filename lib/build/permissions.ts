/**
 * The permissions of `./ring`: the one list that both forms of the executable are built with.
 *
 * Fine-grained where a list can say it. Reading and writing are not narrowed to directories here: a
 * server's data (`--data`) and a client's files (`--put`, `--get -o`) are wherever the user says, and
 * the user's own file permissions hold. A server narrows them to its data when it starts
 * (`lib/cli/confinement.ts`); for that they are given for the root directory and not for everything. Never granted: running programs, foreign functions, system
 * information, importing code from elsewhere. Whatever is not granted is refused without a prompt.
 */
import { BuildError } from "./build_error.ts";

/** Loopback and private networks; what else is reached is named in `RING_NET` at build time. */
export const netHosts: readonly string[] = [
  "127.0.0.0/8",
  "[::1]",
  "localhost",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
];

/** The directory that all others are in; Windows has none, and there a server narrows nothing. */
const files = Deno.build.os === "windows" ? "" : "=/";

/** The environment variables that the program may read: those that it does. */
export const envNames: readonly string[] = ["NO_COLOR", "RING_SECRET_FILE"];

/** The most hosts that `RING_NET` may name. */
export const extraHostsMax = 64;

/** The most characters in one of them: a DNS name of 253, a colon and a port. */
const hostLengthMax = 259;

const dnsName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;

/**
 * Reads `RING_NET`: hosts to allow beside {@linkcode netHosts}, separated by commas. Each is a host
 * name, `*.name`, an IPv4 address or network (`203.0.113.0/24`), or an IPv6 address in brackets
 * (`[2001:db8::1]`; Deno knows no IPv6 networks); a name or an address may end in `:port`. To listen
 * on every interface of a machine (`--ip 0.0.0.0 --advertise …`), name `0.0.0.0` or `[::]`: Deno
 * asks for the very address that is listened on.
 *
 * @throws {BuildError} if one of them is none of these, or if there are more than 64.
 */
export function parseExtraHosts(text: string): readonly string[] {
  const hosts = text.split(",").map((host) => host.trim()).filter((host) => host !== "");
  if (hosts.length > extraHostsMax) {
    throw new BuildError(
      `Cannot allow the hosts of RING_NET: ${hosts.length} are more than ${extraHostsMax}.`,
    );
  }
  for (const host of hosts) {
    if (!isHost(host)) {
      throw new BuildError(
        `Cannot allow "${host}" of RING_NET: it is not a host name, an IPv4 address or network ` +
          `such as 203.0.113.0/24, or an IPv6 address in brackets.`,
      );
    }
  }
  return hosts;
}

/**
 * How large V8 lets the part of its memory become in which things begin, in MiB. With its own 16 the process
 * takes 40 MiB more under load, and is no faster.
 */
const youngMiBMax = 8;

/** The flags of `deno run` and `deno compile`, which are the same: the permissions, and a bound on memory. */
export function runtimeFlags(extraHosts: readonly string[] = []): readonly string[] {
  return [
    `--allow-net=${[...netHosts, ...extraHosts].join(",")}`,
    `--allow-env=${envNames.join(",")}`,
    `--allow-read${files}`,
    `--allow-write${files}`,
    "--no-remote",
    "--no-prompt",
    `--v8-flags=--max-semi-space-size=${youngMiBMax}`,
  ];
}

function isHost(text: string): boolean {
  if (text.length > hostLengthMax) return false;
  const bracketed = /^\[([0-9a-f:.]+)\](?::(\d{1,5}))?$/i.exec(text);
  if (bracketed !== null) {
    const [, address = "", port] = bracketed;
    return isIpv6(address) && isPort(port);
  }
  const plain = /^([^:/]+)(?:\/(\d{1,2})|:(\d{1,5}))?$/.exec(text);
  if (plain === null) return false;
  const [, name = "", bits, port] = plain;
  if (bits !== undefined) return isIpv4(name) && Number(bits) <= 32;
  const looksNumeric = /^[0-9.]+$/.test(name);
  return (looksNumeric ? isIpv4(name) : dnsName.test(name)) && isPort(port);
}

function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  return URL.canParse(`http://[${text}]/`);
}

function isPort(digits: string | undefined): boolean {
  return digits === undefined || (Number(digits) >= 1 && Number(digits) <= 65535);
}
