/** What a server keeps of itself and of its ring: the tables `server` and `members`. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { assert } from "../ring/assert.ts";
import { type Member, type MemberId, memberStatuses } from "../ring/member.ts";
import type { Stamp } from "../ring/stamp.ts";
import type { SavedRing } from "../ring/step.ts";
import { formatDigest, parseBuckets, parseDigest, type RecordTotals } from "./record_totals.ts";
import { integerOf, type Row, textOf } from "./row.ts";

/** Reads and writes the two tables; to write is the caller's transaction. */
export class ServerTable {
  readonly #read: StatementSync;
  readonly #readMembers: StatementSync;
  readonly #saveServer: StatementSync;
  readonly #saveTotals: StatementSync;
  readonly #clearMembers: StatementSync;
  readonly #addMember: StatementSync;

  constructor(database: DatabaseSync) {
    this.#read = database.prepare("SELECT * FROM server");
    this.#readMembers = database.prepare("SELECT * FROM members ORDER BY place");
    this.#saveServer = database.prepare("UPDATE server SET incarnation = ?, stamp_ceiling = ?");
    this.#saveTotals = database.prepare(
      "UPDATE server SET files = ?, bytes = ?, digest = ?, buckets = ?, highest_stamp = ?",
    );
    this.#clearMembers = database.prepare("DELETE FROM members");
    this.#addMember = database.prepare("INSERT INTO members VALUES (NULL, ?, ?, ?, ?, ?, ?)");
  }

  id(): MemberId {
    return textOf(this.#read.get(), "id");
  }

  incarnation(): number {
    return integerOf(this.#read.get(), "incarnation");
  }

  stampCeiling(): Stamp {
    return textOf(this.#read.get(), "stamp_ceiling");
  }

  totals(): RecordTotals {
    const row = this.#read.get();
    return {
      files: integerOf(row, "files"),
      bytes: integerOf(row, "bytes"),
      digest: parseDigest(textOf(row, "digest")),
      buckets: parseBuckets(row?.buckets),
      highestStamp: textOf(row, "highest_stamp"),
    };
  }

  /** The list, in the order in which it was saved. */
  members(): Member[] {
    return this.#readMembers.all().map(memberOf);
  }

  save({ incarnation, members, stampCeiling }: SavedRing): void {
    this.#saveServer.run(incarnation, stampCeiling);
    this.#clearMembers.run();
    for (const member of members) {
      const { id, status, address, position, web = "" } = member;
      this.#addMember.run(id, member.incarnation, status, address, position, web);
    }
  }

  saveTotals({ files, bytes, digest, buckets, highestStamp }: RecordTotals): void {
    this.#saveTotals.run(files, bytes, formatDigest(digest), buckets, highestStamp);
  }
}

function memberOf(row: Row): Member {
  const text = textOf(row, "status");
  const status = memberStatuses.find((status) => status === text);
  assert(status !== undefined, `a stored member has the status "${text}"`);
  const web = textOf(row, "web");
  return {
    id: textOf(row, "id"),
    incarnation: integerOf(row, "incarnation"),
    status,
    address: textOf(row, "address"),
    position: textOf(row, "position"),
    ...(web === "" ? {} : { web }),
  };
}
