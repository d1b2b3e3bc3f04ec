/**
 * Who comes back: a member that was held gone is told MISSED by whoever held it so, one that was never
 * heard of by whoever has been a copy; and asks each that tells it so for pages before it is one itself.
 * Whoever tells it that it is gone has told it so, too.
 */
import { compareMember, isLive, type Member, type MemberId } from "../../lib/ring/member.ts";
import type { MemberMessage } from "../../lib/ring/message.ts";
import type { Input } from "../../lib/ring/step.ts";
import { assertCheck } from "./failure.ts";
import type { Process } from "./process.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** For how long one that says so is waited for, if it is gone itself, in milliseconds at the least. */
const awaitedMsMin = 2_000;

/** What one process owes, and is owed, as members come back. */
interface Account {
  /** Whether it has counted as a copy. */
  hasServed: boolean;
  /** Its first incarnation on the list, and who has shown to know of that or a later one. */
  begunWith: number | undefined;
  readonly knownBy: Set<MemberId>;
  /** Who catches up, and has begun to compare in this step. */
  comparing: MemberId | undefined;
  /** Who is back as of this step, and is to be told. */
  readonly untold: Set<MemberId>;
  /**
   * Who has said that this server was held gone, and was not asked for pages since; and until when it is
   * waited for, if it is gone itself.
   */
  readonly unasked: Map<MemberId, number>;
}

/** Watches who comes back. */
export class Returns {
  readonly #world: World;
  readonly #accounts = new Map<Process, Account>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A step begins: the one before has told all that it had to. */
  handleInput({ process, name }: Server, input: Input): void {
    if (process === undefined) return;
    const account = this.#accountOf(process);
    const [untold] = account.untold;
    assertCheck(
      untold === undefined,
      "returns",
      () =>
        `${name} has ${this.#nameOf(untold)} back, which was gone or unknown, and does not tell it`,
    );
    account.comparing = undefined;
    if (input.type !== "message") return;
    const { message } = input;
    const isCatchingUp = message.type === "COMPARE" && message.after === "" &&
      message.member.status === "joining";
    if (isCatchingUp) account.comparing = message.from;
    if (this.#saysGone(message, process)) this.#noteMissed(process, message.from);
  }

  /** A server saves its list. */
  handleSave(
    { process, disk }: Server,
    { before, members }: { before: readonly Member[]; members: readonly Member[] },
  ): void {
    if (process === undefined) return;
    const account = this.#accountOf(process);
    const known = new Map(before.map((member) => [member.id, member]));
    for (const member of members.filter(isLive)) {
      if (member.id === disk.id || member.id === account.comparing) continue;
      const old = known.get(member.id);
      const isBack = old === undefined ? account.hasServed : !isLive(old);
      if (isBack) account.untold.add(member.id);
    }
    const own = members.find(({ id }) => id === disk.id);
    account.begunWith ??= own?.incarnation;
    account.hasServed ||= own?.status === "alive";
  }

  handleSend({ process }: Server, message: MemberMessage): void {
    if (process === undefined) return;
    const { untold, unasked } = this.#accountOf(process);
    if (message.type === "MISSED") untold.delete(message.to);
    if (message.type === "COMPARE") unasked.delete(message.to);
  }

  /** A server says that it is alive, and was not before. */
  handleAlive({ process, name }: Server, members: readonly Member[]): void {
    if (process === undefined) return;
    const { unasked } = this.#accountOf(process);
    const { now } = this.#world;
    const passed = members.find((member) => {
      const awaitedUntil = unasked.get(member.id);
      return awaitedUntil !== undefined && (isLive(member) || now < awaitedUntil);
    });
    assertCheck(
      passed === undefined,
      "returns",
      () =>
        `${name} says that it is alive, and has not asked ${this.#nameOf(passed?.id)} ` +
        "what it has missed",
    );
  }

  /** Whether a message tells a process that it is held gone, or that the life before it is. */
  #saysGone(message: MemberMessage, process: Process): boolean {
    if (!("to" in message) || message.to !== process.id) return false;
    if (message.type === "MISSED") return true;
    const told = "members" in message ? message.members : undefined;
    const [theirs, ours] = [told, process.members]
      .map((list) => list?.find(({ id }) => id === process.id));
    if (theirs === undefined || ours === undefined || !isLive(ours)) return false;
    const account = this.#accountOf(process);
    if (theirs.incarnation >= (account.begunWith ?? 0)) account.knownBy.add(message.from);
    return !isLive(theirs) &&
      (compareMember(theirs, ours) > 0 || !account.knownBy.has(message.from));
  }

  /** Nothing is heard from who is not on the list. */
  #noteMissed(process: Process, from: MemberId): void {
    const sender = process.members.find(({ id }) => id === from);
    if (sender === undefined) return;
    // One that dies after it has said so is not waited for.
    const until = isLive(sender) ? -Infinity : this.#world.now + awaitedMsMin;
    this.#accountOf(process).unasked.set(from, until);
  }

  #accountOf(process: Process): Account {
    const account = this.#accounts.get(process) ?? {
      hasServed: false,
      begunWith: undefined,
      knownBy: new Set(),
      comparing: undefined,
      untold: new Set(),
      unasked: new Map(),
    };
    this.#accounts.set(process, account);
    return account;
  }

  #nameOf(id: MemberId | undefined): string {
    return this.#world.trace.nameOf(id ?? "");
  }
}
