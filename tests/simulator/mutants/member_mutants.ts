/** Bugs in who is a member, and who is alive. */
import type { Mutant } from "./mutant.ts";

/** Bugs in the list, the verdicts, coming and going. */
export const memberMutants: readonly Mutant[] = [
  {
    name: "the record that comes last wins",
    file: "lib/ring/membership.ts",
    find: "mergeMember(known, record)",
    replace: "record",
  },
  {
    name: "the worse news does not win",
    file: "lib/ring/member.ts",
    find: "    memberStatuses.indexOf(a.status) - memberStatuses.indexOf(b.status) ||\n",
    replace: "",
  },
  {
    name: "the incarnation does not count",
    file: "lib/ring/member.ts",
    find: "a.incarnation - b.incarnation ||",
    replace: "0 ||",
  },
  {
    name: "dead members stay on the circle",
    file: "lib/ring/membership.ts",
    find: "member.id !== this.#self && isLive(member)",
    replace: "member.id !== this.#self",
  },
  {
    name: "a server that leaves settles its writes at once",
    file: "lib/ring/membership.ts",
    find: "    this.#others ??= this.fromSelf",
    replace: '    if (this.self?.status === "left") return [];\n    this.#others ??= this.fromSelf',
  },
  {
    name: "a newcomer gets the place of its neighbour",
    file: "lib/ring/position.ts",
    find: '    return place.toString(16).padStart(digits, "0");',
    replace: "    return place < 0n ? undefined : low;",
  },
  {
    name: "the list is sent before it is saved",
    file: "lib/ring/effects.ts",
    find: "[...first, ...this.#effects]",
    replace: "[...this.#effects, ...first]",
  },
  {
    name: "an incarnation is used again after a restart",
    file: "lib/ring/roster.ts",
    find: "    this.#incarnation++;\n    this.#since",
    replace: "    this.#incarnation ||= 1;\n    this.#since",
  },
  {
    name: "who holds the life before gone is not owed",
    file: "lib/ring/roster.ts",
    find: "    this.#readOwn(members, from);\n",
    replace: "",
  },
  {
    name: "who tells that this server is gone is not owed",
    file: "lib/ring/roster.ts",
    find: "      onHeldGone(from);\n",
    replace: "",
  },
  {
    name: "a copy that has lapsed tells no strange member what it missed",
    file: "lib/ring/returns.ts",
    find: "this.#wasCopy ||= membership",
    replace: "this.#wasCopy = membership",
  },
  {
    name: "who is back, and takes itself for alive, is not told that it has missed something",
    file: "lib/ring/repair.ts",
    find: 'after === "" && member.status === "joining"',
    replace: 'after === ""',
  },
  {
    name: "death is not denied",
    file: "lib/ring/roster.ts",
    find: "    const heldDead =",
    replace: "    if (!isLive(own)) return;\n    const heldDead =",
  },
  {
    name: "suspicion is not denied",
    file: "lib/ring/roster.ts",
    find: "    const heldDead =",
    replace: '    if (own.status === "suspect") return;\n    const heldDead =',
  },
  {
    name: "who was held dead goes on as if it had missed nothing",
    file: "lib/ring/roster.ts",
    find: 'heldDead ? "joining" : before.status',
    replace: "before.status",
  },
  {
    name: "another's incarnation is raised with the verdict on it",
    file: "lib/ring/roster.ts",
    find: "membership.merge([{ ...member, status }])",
    replace: "membership.merge([{ ...member, incarnation: member.incarnation + 1, status }])",
  },
  {
    name: "a server that returns counts as a copy at once",
    file: "lib/ring/entrance.ts",
    find: 'others.some(isRemembered) ? "joining" : "alive"',
    replace: '"alive" as const',
  },
  {
    name: "who leaves tells nobody",
    file: "lib/ring/entrance.ts",
    find: "    for (const member of tell.slice(0, 2)) roster.announce(member.id);\n",
    replace: "",
  },
  {
    name: "members that are gone are never probed",
    file: "lib/ring/checks.ts",
    find: "    if (member !== undefined) this.#send(member);",
    replace: "    if (member !== undefined && isLive(member)) this.#send(member);",
  },
  {
    name: "one missed answer is death",
    file: "lib/ring/checks.ts",
    find: "watch.missed >= deadAfter",
    replace: "watch.missed >= 1",
  },
  {
    name: "silence is never death",
    file: "lib/ring/checks.ts",
    find: "watch.missed >= deadAfter",
    replace: "watch.missed >= 1000",
  },
  {
    name: "a refusal is no sign of death",
    file: "lib/ring/checks.ts",
    find: "watch.refused >= 2",
    replace: "watch.refused >= 2000",
  },
  {
    name: "nobody else is asked about a suspect",
    file: "lib/ring/checks.ts",
    find: "    this.#askAnother(member);\n",
    replace: "",
  },
  {
    name: "an answer does not clear the answers that were missed",
    file: "lib/ring/checks.ts",
    find: "    watch.missed = 0;\n    watch.refused = 0;\n",
    replace: "    watch.refused = 0;\n",
  },
  {
    name: "only the successor is checked when it is silent",
    file: "lib/ring/checks.ts",
    find: "missed > 0 ? membership.others : [successor]",
    replace: "missed > 1000 ? membership.others : [successor]",
  },
  {
    name: "the list in an answer to a CHECK is not read",
    file: "lib/ring/checks.ts",
    find: "      roster.merge(message.members, message.from);\n",
    replace: "",
  },
  {
    name: "a list is never sent with the answer to a CHECK",
    file: "lib/ring/checks.ts",
    find: "const differs = message.list !== membership.digest;",
    replace: 'const differs = message.list === "";',
  },
  {
    name: "a server that was stopped trusts what it holds",
    file: "lib/ring/node.ts",
    find: "    this.#roster.lapse();\n",
    replace: "",
  },
  {
    name: "who is dead or has left is brought back by an old list",
    file: "lib/ring/membership.ts",
    find: "known === undefined ? record : mergeMember(known, record)",
    replace: "known === undefined || (isLive(record) && !isLive(known))\n" +
      "        ? record\n        : mergeMember(known, record)",
  },
];
