/** Sentences: what happened to the list of servers, in words. */
import { isLive, neighbour, shortNames } from "./members.js";

/** @typedef {import("./members.js").Member} Member */
/** @typedef {{ text: string, tone: "good" | "bad" | "plain" }} Sentence */

/**
 * What has happened between two lists.
 *
 * @param {readonly Member[]} members
 * @param {readonly Member[]} previous
 * @returns {Sentence[]}
 */
export function describeChange(members, previous) {
  const before = new Map(previous.map((member) => [member.id, member]));
  const names = shortNames(members);
  return members.flatMap((member) => {
    const sentence = describeMember(member, before.get(member.id), { members, names });
    return sentence === undefined ? [] : [sentence];
  });
}

/**
 * @param {Member} member
 * @param {Member | undefined} before
 * @param {{ members: readonly Member[], names: Map<string, string> }} context
 * @returns {Sentence | undefined}
 */
function describeMember(member, before, { members, names }) {
  /** @param {Member | undefined} other */
  const nameOf = (other) => names.get(other?.id ?? "") ?? "";
  const name = nameOf(member);
  const last = neighbour(members, member.id, -1);
  const next = neighbour(members, member.id, 1);
  if (before === undefined) {
    return isLive(member) ? describeNewcomer(name, nameOf(last)) : undefined;
  }
  if (before.status === member.status) return undefined;
  switch (member.status) {
    case "suspect":
      return { text: `${name} does not answer. The others ask it again.`, tone: "bad" };
    case "dead":
      return { text: `${name} stopped answering${closing(last, next, nameOf)}`, tone: "bad" };
    case "left":
      return { text: `${name} left the ring${closing(last, next, nameOf)}`, tone: "plain" };
    case "joining":
      return { text: `${name} is back, and fetches what it has missed.`, tone: "good" };
    case "alive":
      return { text: describeRecovery(name, before.status), tone: "good" };
  }
}

/**
 * @param {string} name
 * @param {string} last
 * @returns {Sentence}
 */
function describeNewcomer(name, last) {
  const place = last === "" ? "" : ` after ${last}`;
  return { text: `${name} joined the ring${place}, and fetches every file.`, tone: "good" };
}

/**
 * How the circle closes over one that is gone.
 *
 * @param {Member | undefined} last
 * @param {Member | undefined} next
 * @param {(member: Member | undefined) => string} nameOf
 */
function closing(last, next, nameOf) {
  if (last === undefined || next === undefined) return ".";
  if (last.id === next.id) return `; ${nameOf(last)} is alone now.`;
  return `; ${nameOf(last)} now checks ${nameOf(next)}.`;
}

/**
 * @param {string} name
 * @param {Member["status"]} before
 */
function describeRecovery(name, before) {
  if (before === "joining") return `${name} has every file now.`;
  return before === "suspect" ? `${name} answers again.` : `${name} is back.`;
}
