/** What a server keeps of itself and of its ring: the tables `server` and `members`. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { assert } from "../ring/assert.ts";
import { type Member, type MemberId, memberStatuses } from "../ring/member.ts";
import { formatDigest, parseDigest, type RecordTotals } from "./record_totals.ts";
import { integerOf, type Row, textOf } from "./row.ts";

/** Reads and writes the two tables; to write is the caller's transaction. */
export class ServerTable {
  readonly #read: StatementSync;
  readonly #readMembers: StatementSync;
  readonly #saveIncarnation: StatementSync;
  readonly #saveTotals: StatementSync;
  readonly #clearMembers: StatementSync;
  readonly #addMember: StatementSync;

  constructor(database: DatabaseSync) {
    this.#read = database.prepare("SELECT * FROM server");
    this.#readMembers = database.prepare("SELECT * FROM members ORDER BY place");
    this.#saveIncarnation = database.prepare("UPDATE server SET incarnation = ?");
    this.#saveTotals = database.prepare(
      "UPDATE server SET files = ?, bytes = ?, digest = ?, highest_stamp = ?",
    );
    this.#clearMembers = database.prepare("DELETE FROM members");
    this.#addMember = database.prepare("INSERT INTO members VALUES (NULL, ?, ?, ?, ?, ?)");
  }

  id(): MemberId {
    return textOf(this.#read.get(), "id");
  }

  incarnation(): number {
    return integerOf(this.#read.get(), "incarnation");
  }

  totals(): RecordTotals {
    const row = this.#read.get();
    return {
      files: integerOf(row, "files"),
      bytes: integerOf(row, "bytes"),
      digest: parseDigest(textOf(row, "digest")),
      highestStamp: textOf(row, "highest_stamp"),
    };
  }

  /** The list, in the order in which it was saved. */
  members(): Member[] {
    return this.#readMembers.all().map(memberOf);
  }

  save({ incarnation, members }: { incarnation: number; members: readonly Member[] }): void {
    this.#saveIncarnation.run(incarnation);
    this.#clearMembers.run();
    for (const member of members) {
      const { id, status, address, position } = member;
      this.#addMember.run(id, member.incarnation, status, address, position);
    }
  }

  saveTotals({ files, bytes, digest, highestStamp }: RecordTotals): void {
    this.#saveTotals.run(files, bytes, formatDigest(digest), highestStamp);
  }
}

function memberOf(row: Row): Member {
  const text = textOf(row, "status");
  const status = memberStatuses.find((status) => status === text);
  assert(status !== undefined, `a stored member has the status "${text}"`);
  return {
    id: textOf(row, "id"),
    incarnation: integerOf(row, "incarnation"),
    status,
    address: textOf(row, "address"),
    position: textOf(row, "position"),
  };
}
