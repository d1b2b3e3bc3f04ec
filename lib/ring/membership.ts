/**
 * Membership: the list of all members, and the circle that it makes.
 *
 * The list is a set of member records that merges (`member.ts`). The circle is never maintained by
 * pointers: it is computed, the live members sorted by `(position, id)` and wrapped round. So there is
 * no moment in which a pointer is wrong, and two servers with the same list see the same circle.
 * Zave ("How to Make Chord Correct", 2015) shows what pointers cost.
 */
import {
  compareText,
  isLive,
  type Member,
  type MemberId,
  membersMax,
  mergeMember,
} from "./member.ts";

/** The list of members, as one of them (`self`) knows it. */
export class Membership {
  readonly #records = new Map<MemberId, Member>();
  readonly #self: MemberId;
  readonly #sha256: (text: string) => string;
  #ordered: readonly Member[] | undefined;
  #others: readonly Member[] | undefined;
  #digest: string | undefined;
  #version = 0;

  constructor(self: MemberId, sha256: (text: string) => string) {
    this.#self = self;
    this.#sha256 = sha256;
  }

  /** The record of a member. */
  get(id: MemberId): Member | undefined {
    return this.#records.get(id);
  }

  /** Counts the changes. */
  get version(): number {
    return this.#version;
  }

  /** This server's own record; absent until it has been inserted. */
  get self(): Member | undefined {
    return this.#records.get(this.#self);
  }

  /** All records, dead ones too, in the order of the circle from its start. */
  get all(): readonly Member[] {
    this.#ordered ??= [...this.#records.values()].sort(comparePlace);
    return this.#ordered;
  }

  /** All records, dead ones too, in the order of the circle from this server on. */
  get fromSelf(): readonly Member[] {
    const at = this.all.findIndex((member) => member.id === this.#self);
    return at < 0 ? this.all : [...this.all.slice(at), ...this.all.slice(0, at)];
  }

  /** The live members from this server on; empty while this server is not one of them. */
  get circle(): readonly Member[] {
    const self = this.self;
    return self === undefined || !isLive(self) ? [] : [self, ...this.others];
  }

  /**
   * The live members other than this server, from its successor on; also when this server is not on
   * the list (any more): one that leaves still has to finish what it began.
   */
  get others(): readonly Member[] {
    this.#others ??= this.fromSelf.filter((member) => member.id !== this.#self && isLive(member));
    return this.#others;
  }

  /** The next live member; absent when this server is alone. */
  get successor(): Member | undefined {
    return this.others[0];
  }

  /** Equal on two servers when, and only when, their lists are. */
  get digest(): string {
    this.#digest ??= this.#sha256(
      this.all.map(({ id, incarnation, status, address, position, web }) =>
        [id, incarnation, status, address, position, web].join(" ")
      ).join("\n"),
    );
    return this.#digest;
  }

  /** Takes over whatever is newer in these records; returns whether anything was. */
  merge(records: readonly Member[]): boolean {
    let changed = false;
    for (const record of records) {
      const known = this.#records.get(record.id);
      if (known === undefined && this.#records.size >= membersMax) continue;
      const merged = known === undefined ? record : mergeMember(known, record);
      if (merged === known) continue;
      this.#records.set(record.id, merged);
      changed = true;
    }
    if (changed) {
      this.#version++;
      this.#ordered = undefined;
      this.#others = undefined;
      this.#digest = undefined;
    }
    return changed;
  }

  /** The position of the first record after `position`, dead ones included. */
  positionAfter(position: string): string | undefined {
    return this.all.find((member) => member.position > position)?.position;
  }
}

function comparePlace(a: Member, b: Member): number {
  return compareText(a.position, b.position) || compareText(a.id, b.id);
}
