/** What clients have asked of one process, and has not been answered yet. */
import type { FileAnswer } from "../../lib/ring/request.ts";
import type { Ask, RequestId } from "../../lib/ring/step.ts";
import { assertCheck } from "./failure.ts";
import type { Knowledge } from "./history.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** A request that waits for its answer. */
export interface PendingRequest {
  readonly ask: Ask;
  readonly askedAt: number;
  readonly knew: Knowledge;
  /** Called at most once, with `closed` if the process ends first. */
  readonly onAnswer: (answer: FileAnswer | "closed") => void;
}

/** The requests of one process. */
export class Requests {
  readonly #world: World;
  readonly #server: Server;
  readonly #process: Process;
  readonly #pending = new Map<RequestId, PendingRequest>();
  /** Those that the core was asked again, as a body turned out to be lost. */
  readonly #askedAgain = new Set<RequestId>();
  #last: RequestId = 0;

  constructor(world: World, { server, process }: { server: Server; process: Process }) {
    this.#world = world;
    this.#server = server;
    this.#process = process;
  }

  /** Whether a write has not been answered. */
  get areWriting(): boolean {
    return [...this.#pending.values()].some(({ ask }) => ask.type !== "GET");
  }

  /** Whether a write to a file has not been answered that was asked for by then. */
  isWriting(item: string, at: number): boolean {
    return [...this.#pending.values()].some(({ ask, askedAt }) =>
      ask.type !== "GET" && ask.item === item && askedAt <= at
    );
  }

  /** A number that no other request has. */
  name(): RequestId {
    return ++this.#last;
  }

  /** Names a request, and keeps it until it is answered. */
  add(pending: PendingRequest): RequestId {
    const request = this.name();
    this.#pending.set(request, pending);
    return request;
  }

  /** Whether an answer names a body that the disk does not have: the core is then asked again, once. */
  isBodyLost(request: RequestId, { type, status, sha256 }: FileAnswer): boolean {
    const isLost = type === "GET" && status === 200 && !this.#askedAgain.has(request) &&
      !this.#server.disk.hasBody(sha256 ?? "");
    if (!isLost) return false;
    this.#askedAgain.add(request);
    this.#world.statistics.countSituation("a body turns out to be lost");
    return true;
  }

  /** A request is answered. */
  end(request: RequestId, answer: FileAnswer): void {
    const pending = this.#pending.get(request);
    assertCheck(
      pending !== undefined,
      "answers",
      () =>
        `${this.#server.name} answered request ${request}, which nobody waits for or has an answer`,
    );
    this.#pending.delete(request);
    const { ask, askedAt, knew, onAnswer } = pending;
    const process = this.#process;
    this.#world.checks.onAnswer(this.#server, { ask, askedAt, knew, answer, process });
    onAnswer(answer);
  }

  /** The process has ended: nothing is answered any more. */
  close(): void {
    for (const { onAnswer } of this.#pending.values()) onAnswer("closed");
    this.#pending.clear();
  }
}
