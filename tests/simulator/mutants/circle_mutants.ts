/** Bugs in how messages go round, and in when a round is settled. */
import type { Mutant } from "./mutant.ts";

/** Bugs in circles and rounds. */
export const circleMutants: readonly Mutant[] = [
  {
    name: "a repeated message is passed on again",
    file: "lib/ring/circles.ts",
    find: 'if (circle.attempt <= seen.attempt) return "repeated";',
    replace: 'if (circle.attempt < seen.attempt) return "repeated";',
  },
  {
    name: "every sighting of a circle is the first",
    file: "lib/ring/circles.ts",
    find: 'if (circle.attempt <= seen.attempt) return "repeated";',
    replace: 'return "new";',
  },
  {
    name: "a member that was skipped is tried for ever",
    file: "lib/ring/circles.ts",
    find: "visited: [...others, skipped] }",
    replace: "visited: others }",
  },
  {
    name: "a silent member is not skipped",
    file: "lib/ring/circles.ts",
    find: "      else this.#skip(number, hop);\n    }\n  }\n\n  #retry",
    replace: "      else this.#hops.delete(number);\n    }\n  }\n\n  #retry",
  },
  {
    name: "a hop without an acknowledgement is not tried again",
    file: "lib/ring/circles.ts",
    find: "      if (hop.tries < hopTriesMax) this.#retry(number, hop);\n      else this.#skip",
    replace: "      if (hop.tries < hopTriesMax) this.#hops.delete(number);\n      else this.#skip",
  },
  {
    name: "hops to members that are gone wait on",
    file: "lib/ring/circles.ts",
    find:
      "      if (member !== undefined && isLive(member)) continue;\n      this.#skip(number, hop);",
    replace: "      if (member !== undefined) continue;\n      this.#skip(number, hop);",
  },
  {
    name: "a circle ends before it is back",
    file: "lib/ring/circles.ts",
    find: "    this.#send(creator.id, circle, withoutBody(payload));",
    replace:
      "    if (circle.visited.length === 0) this.#send(creator.id, circle, withoutBody(payload));",
  },
  {
    name: "all circles of a server have one number",
    file: "lib/ring/circles.ts",
    find: "sequence: ++this.#lastSequence",
    replace: "sequence: this.#lastSequence",
  },
  {
    name: "an acknowledgement of a hop is not heard",
    file: "lib/ring/circles.ts",
    find: "    this.#hops.delete(message.hop);",
    replace: "    if (message.hop < 0) this.#hops.delete(message.hop);",
  },
  {
    name: "a server that was skipped counts as one that stored",
    file: "lib/ring/rounds.ts",
    find: 'return deed === "stored" || deed === "failed";',
    replace: 'return deed === "stored" || deed === "failed" || deed === "skipped";',
  },
  {
    name: "a server that passed a write on counts as one that stored it",
    file: "lib/ring/rounds.ts",
    find: 'return deed === "stored" || deed === "failed";',
    replace: 'return deed !== undefined && deed !== "skipped";',
  },
  {
    name: "copies of the dead are counted",
    file: "lib/ring/rounds.ts",
    find: "const ids = [self, ...membership.others.map((member) => member.id)];",
    replace:
      "const ids = new Set([self, ...membership.all.map((m) => m.id), ...round.deeds.keys()]);\n" +
      '    return [...ids].filter((id) => round.deeds.get(id) === "stored").length;',
  },
  {
    name: "servers that could not store a write are counted as copies",
    file: "lib/ring/rounds.ts",
    find: 'ids.filter((id) => round.deeds.get(id) === "stored").length',
    replace: "ids.filter((id) => isFinal(round.deeds.get(id))).length",
  },
  {
    name: "nobody but the first to report is waited for",
    file: "lib/ring/rounds.ts",
    find: "membership.others.every(({ id }) => isFinal(round.deeds.get(id)))",
    replace: "membership.others.slice(0, 1).every(({ id }) => isFinal(round.deeds.get(id)))",
  },
  {
    name: "a round is not looked at when a member has died",
    file: "lib/ring/node.ts",
    find: "        this.#rounds.reconsider();\n",
    replace: "",
  },
  {
    name: "a circle that was lost is not sent again",
    file: "lib/ring/rounds.ts",
    find: "    this.#rounds.set(sequence, round);\n    this.send(round);",
    replace: "    this.#rounds.set(sequence, round);",
  },
  {
    name: "a circle is sent again as if it were the first time",
    file: "lib/ring/rounds.ts",
    find: "    round.attempt++;\n",
    replace: "",
  },
  {
    name: "a FIND that goes on forgets what it has found",
    file: "lib/ring/rounds.ts",
    find: 'errand.type === "FIND" ? { type: "FORWARD" as const, errand } : round.payload',
    replace: "round.payload",
  },
  {
    name: "what an earlier life of the creator began is settled by this one",
    file: "lib/ring/rounds.ts",
    find: "round?.circle.boot === circle.boot ? round : undefined",
    replace: "round",
  },
];
