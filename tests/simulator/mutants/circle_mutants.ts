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
    find: "visited: [...hop.circle.visited, skipped] }",
    replace: "visited: hop.circle.visited }",
  },
  {
    name: "a silent member is not skipped",
    file: "lib/ring/circles.ts",
    find:
      "this.#retry(number, hop);\n      else this.#skip(number, hop);\n    }\n  }\n\n  /** Passes a circle back",
    replace:
      "this.#retry(number, hop);\n      else this.#hops.delete(number);\n    }\n  }\n\n  /** Passes a circle back",
  },
  {
    name: "a hop without an acknowledgement is not tried again",
    file: "lib/ring/circles.ts",
    find:
      "else if (hop.tries < hopTriesMax) this.#retry(number, hop);\n      else this.#skip(number, hop);\n    }",
    replace:
      "else if (hop.tries < hopTriesMax) this.#hops.delete(number);\n      else this.#skip(number, hop);\n    }",
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
    find: "    this.#return(circle, withoutBody(payload));",
    replace: "    if (circle.visited.length === 0) this.#return(circle, withoutBody(payload));",
  },
  {
    name: "who was skipped by one is not tried by another",
    file: "lib/ring/circles.ts",
    find: "id !== circle.creator && isDetour(circle, id, self)",
    replace: 'id === "" && isDetour(circle, id, self)',
  },
  {
    name: "a creator that cannot be reached is not reached through another",
    file: "lib/ring/circles.ts",
    find: "    if (courier !== undefined) this.#send",
    replace: "    if (courier === circle) this.#send",
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
    find: "    if (this.#hops.get(hop)?.to === from) this.#hops.delete(hop);",
    replace: "    if (this.#hops.get(hop)?.to === from && hop < 0) this.#hops.delete(hop);",
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
    name: "who has another list does not tell it with its REPORT",
    file: "lib/ring/replication.ts",
    find: "...(errand.list === membership.digest ? {} : { members: membership.all }),",
    replace: "",
  },
  {
    name: "who holds another list does not tell it with its word in the envelope",
    file: "lib/ring/replication.ts",
    find: "const hasNews = isDone && errand.list !== membership.digest;",
    replace: "const hasNews = false;",
  },
  {
    name: "who holds another list gives its word in a REPORT only",
    file: "lib/ring/replication.ts",
    find: 'isDone ? done : "passed"',
    replace: 'isDone && errand.list === membership.digest ? done : "passed"',
  },
];
