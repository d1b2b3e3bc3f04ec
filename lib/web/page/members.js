/**
 * Members: what the servers say of each other, and the circle that follows from it.
 *
 * The page hears several servers, and merges their lists as they do: of two records of one server the
 * one with the higher incarnation counts, and within an incarnation the worse news.
 */

/**
 * @typedef {object} Member
 * @property {string} id
 * @property {number} incarnation
 * @property {"joining" | "alive" | "suspect" | "dead" | "left" | "forgotten"} status
 * @property {string} address
 * @property {string} position
 * @property {string} [web]
 */

const statuses = ["joining", "alive", "suspect", "dead", "left", "forgotten"];

/**
 * The members of all these lists, in the order of the circle, those too that are gone.
 *
 * @param {Iterable<readonly Member[]>} lists
 * @returns {Member[]}
 */
export function mergeLists(lists) {
  /** @type {Map<string, Member>} */
  const merged = new Map();
  for (const list of lists) {
    for (const member of list) {
      const known = merged.get(member.id);
      if (known === undefined || overrides(member, known)) merged.set(member.id, member);
    }
  }
  return [...merged.values()].filter(({ status }) => status !== "forgotten").sort(compare);
}

/**
 * Whether this member is on the circle.
 *
 * @param {Member} member
 */
export function isLive({ status }) {
  return status === "joining" || status === "alive" || status === "suspect";
}

/**
 * The live member that comes next on the circle, or before: `undefined` if there is no other.
 *
 * @param {readonly Member[]} members in the order of the circle
 * @param {string} id one of theirs
 * @param {1 | -1} direction
 * @returns {Member | undefined}
 */
export function neighbour(members, id, direction) {
  const count = members.length;
  const start = members.findIndex((member) => member.id === id);
  for (let step = 1; step < count; step++) {
    const candidate = members[(start + direction * step + count * step) % count];
    if (candidate !== undefined && isLive(candidate)) return candidate;
  }
  return undefined;
}

/**
 * The shortest names that tell the members apart: their ports if one host has them all.
 *
 * @param {readonly Member[]} members
 * @returns {Map<string, string>} by id
 */
export function shortNames(members) {
  const parts = members.map(({ address }) => splitAddress(address));
  const hosts = new Set(parts.map(({ host }) => host));
  const ports = new Set(parts.map(({ port }) => port));
  return new Map(members.map(({ id, address }) => {
    const { host, port } = splitAddress(address);
    if (hosts.size === 1) return [id, port];
    if (ports.size === 1) return [id, hostName(host)];
    return [id, hosts.size === members.length ? hostName(host) : address];
  }));
}

/** @param {string} host the last part of a number, the first of a name */
function hostName(host) {
  const isNumber = /^[0-9.]+$/.test(host);
  return isNumber ? `.${host.split(".").at(-1)}` : host.split(".")[0] ?? host;
}

/**
 * The host and the port of an address, for example `127.0.1.1:4043`.
 *
 * @param {string} address
 */
export function splitAddress(address) {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: address.slice(colon + 1) };
}

/**
 * @param {Member} a
 * @param {Member} b
 */
function overrides(a, b) {
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation;
  return statuses.indexOf(a.status) > statuses.indexOf(b.status);
}

/**
 * @param {Member} a
 * @param {Member} b
 */
function compare(a, b) {
  const [first, second] = a.position === b.position ? [a.id, b.id] : [a.position, b.position];
  return first < second ? -1 : 1;
}
