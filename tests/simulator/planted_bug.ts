/** Bugs planted in the core, to show that the simulator's checks can see. */
import { Node, type NodeOptions } from "../../lib/ring/node.ts";
import type { Effect, Input, Now } from "../../lib/ring/step.ts";
import type { Core } from "./core.ts";

/** A bug, and the name of a check that finds it. */
export interface PlantedBug {
  readonly name: string;
  readonly check: string;
  readonly createCore: (options: NodeOptions) => Core;
}

type Rewrite = (effect: Effect) => readonly Effect[];
type WriteEffect = Extract<Effect, { type: "write" }>;

/** All planted bugs. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "a write is acknowledged before it is on disk",
    check: "durable",
    createCore: (options) => pretendWritten(options, { keeps: true, which: () => true }),
  },
  {
    name: "tombstones are not stored",
    check: "durable",
    createCore: (options) =>
      pretendWritten(options, {
        keeps: false,
        which: ({ write }) => write.record.deleted === true,
      }),
  },
  {
    name: "answers are dropped now and then",
    check: "answers",
    createCore: (options) => rewritten(options, dropEvery(7, "answer")),
  },
  {
    name: "an answer is given twice",
    check: "answers",
    createCore: (options) => rewritten(options, repeat("answer", 2)),
  },
  {
    name: "answers are crossed",
    check: "answers",
    createCore: (options) =>
      rewritten(
        options,
        (effect) =>
          effect.type === "answer" ? [{ ...effect, request: effect.request ^ 1 }] : [effect],
      ),
  },
  {
    name: "every circular message is sent ten times",
    check: "circles",
    createCore: (options) => rewritten(options, repeatCircles(10)),
  },
  {
    name: "the incarnation is forgotten at a restart",
    check: "incarnations",
    createCore: (options) =>
      new Node({ ...options, stored: { ...options.stored, incarnation: 0, members: [] } }),
  },
  {
    name: "another's incarnation is raised",
    check: "incarnations",
    createCore: (options) => rewritten(options, raiseOthers(options.id)),
  },
  {
    name: "nobody is ever checked",
    check: "lists",
    createCore: (options) => rewritten(options, dropChecks),
  },
  {
    name: "a refused connection is not heard of",
    check: "deadlines",
    createCore: (options) => deaf(options, (input) => input.type === "unreachable"),
  },
  {
    name: "pages of records are asked for without end",
    check: "quiet",
    createCore: (options) => deaf(options, isMessage("PAGE")),
  },
  {
    name: "a file is not found now and then",
    check: "reads",
    createCore: (options) => rewritten(options, loseEvery(5)),
  },
  {
    name: "the list is forgotten at a restart",
    check: "members",
    createCore: (options) => new Node({ ...options, stored: { ...options.stored, members: [] } }),
  },
  {
    name: "another list is never merged from a circular UPDATE or a CHECKED",
    check: "lists",
    createCore: (options) => deaf(options, isMessage("UPDATE", "CHECKED")),
  },
  {
    name: "a message changes after it was sent",
    check: "throws",
    createCore: changeLater,
  },
];

/** A core whose effects pass through `rewrite`. */
function rewritten(options: NodeOptions, rewrite: Rewrite): Core {
  const node = new Node(options);
  return {
    step: (input, now) => node.step(input, now).flatMap(rewrite),
    get members() {
      return node.members;
    },
  };
}

/** A core that does not hear some inputs. */
function deaf(options: NodeOptions, isLost: (input: Input) => boolean): Core {
  const node = new Node(options);
  return {
    step: (input, now) => isLost(input) ? [] : node.step(input, now),
    get members() {
      return node.members;
    },
  };
}

function isMessage(...types: readonly string[]): (input: Input) => boolean {
  return (input) => input.type === "message" && types.includes(input.message.type);
}

/** A core that is told at once that its writes are on disk; they are written later, or never. */
function pretendWritten(
  options: NodeOptions,
  bug: { readonly keeps: boolean; readonly which: (effect: WriteEffect) => boolean },
): Core {
  const node = new Node(options);
  const pretended = new Set<number>();
  return {
    step: (input, now) =>
      input.type === "written" && pretended.delete(input.token) ? [] : run(input, now),
    get members() {
      return node.members;
    },
  };

  function run(input: Input, now: Now): readonly Effect[] {
    return node.step(input, now).flatMap((effect) => {
      if (effect.type !== "write" || !bug.which(effect)) return [effect];
      if (bug.keeps) pretended.add(effect.token);
      const written: Input = {
        type: "written",
        token: effect.token,
        outcome: { outcome: "stored" },
        files: options.files,
      };
      return [...(bug.keeps ? [effect] : []), ...run(written, now)];
    });
  }
}

function dropEvery(n: number, type: Effect["type"]): Rewrite {
  let count = 0;
  return (effect) => effect.type === type && ++count % n === 0 ? [] : [effect];
}

function loseEvery(n: number): Rewrite {
  let count = 0;
  return (effect) => {
    if (effect.type !== "answer" || effect.answer.type !== "GET") return [effect];
    if (effect.answer.status !== 200 || ++count % n !== 0) return [effect];
    return [{ ...effect, answer: { type: "GET", item: effect.answer.item, status: 404 } }];
  };
}

function repeat(type: Effect["type"], times: number): Rewrite {
  return (effect) => effect.type === type ? Array<Effect>(times).fill(effect) : [effect];
}

function repeatCircles(times: number): Rewrite {
  return (effect) =>
    effect.type === "send" && "circle" in effect.message && effect.message.type !== "REPORT"
      ? Array<Effect>(times).fill(effect)
      : [effect];
}

function raiseOthers(self: string): Rewrite {
  return (effect) => {
    if (effect.type !== "send" || effect.message.type !== "UPDATE") return [effect];
    const members = effect.message.members.map((member) =>
      member.id === self ? member : { ...member, incarnation: member.incarnation + 1 }
    );
    return [{ ...effect, message: { ...effect.message, members } }];
  };
}

function dropChecks(effect: Effect): readonly Effect[] {
  return effect.type === "send" && effect.message.type === "CHECK" ? [] : [effect];
}

/** A core that appends to a list that it has saved. */
function changeLater(options: NodeOptions): Core {
  const node = new Node(options);
  let saved: unknown;
  return {
    step(input, now) {
      if (Array.isArray(saved)) saved.push(undefined);
      const effects = node.step(input, now);
      for (const effect of effects) if (effect.type === "save") saved = effect.members;
      return effects;
    },
    get members() {
      return node.members;
    },
  };
}
