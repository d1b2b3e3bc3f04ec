/**
 * What servers tell each other. What clients ask them is in `request.ts`.
 *
 * Servers' messages are one-way: each has `from` and `to`, so that a server that took over the address
 * of another does not answer for it, and what replies to a message names it by a number (`sequence`,
 * `hop`). How these become bytes is in `lib/protocol/`.
 */
import type { FileRecord } from "./file_record.ts";
import { type Member, type MemberId, membersMax } from "./member.ts";
import type { Stamp } from "./stamp.ts";

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
}

/** Asks to be inserted after the receiver; `to` is empty, as the newcomer knows only an address. */
export interface Insert {
  readonly type: "INSERT";
  readonly from: MemberId;
  readonly incarnation: number;
  readonly address: string;
  /** Empty for a newcomer; a server that returns keeps the position that it has. */
  readonly position: string;
}

/** The answer to an INSERT: the list, with the newcomer in it, and what its stamps must be above. */
export interface Inserted extends Envelope {
  readonly type: "INSERTED";
  readonly stamp: Stamp;
  readonly members: readonly Member[];
}

/** Is the receiver alive, and do sender and receiver agree? */
export interface Check extends Envelope {
  readonly type: "CHECK";
  readonly sequence: number;
  /** The digest of the sender's list. */
  readonly list: string;
  /** The digest of the sender's files. */
  readonly files: string;
  /** What the sender's wall clock shows, in milliseconds since 1970. */
  readonly wall: number;
}

/** The answer to a CHECK. */
export interface Checked extends Envelope {
  readonly type: "CHECKED";
  readonly sequence: number;
  readonly list: string;
  readonly files: string;
  readonly wall: number;
  /** The receiver's list, if it differs from the sender's. */
  readonly members?: readonly Member[];
}

/** Asks the receiver to CHECK a suspect, which the sender cannot reach. */
export interface Ask extends Envelope {
  readonly type: "ASK";
  readonly suspect: MemberId;
}

/** Tells who sent an ASK that the suspect has answered. */
export interface Vouch extends Envelope {
  readonly type: "VOUCH";
  readonly suspect: MemberId;
}

/**
 * What a server that a circular message visited has done with it so far, in the order in which one
 * overrides another: `skipped` did not acknowledge the hop, `passed` has it and passed it on, `failed`
 * could not store it, `stored` has it on disk.
 */
export const deeds = ["skipped", "passed", "failed", "stored"] as const;

/** One of {@linkcode deeds}. */
export type Deed = typeof deeds[number];

/** One server that a circular message has visited. */
export interface Visit {
  readonly id: MemberId;
  readonly deed: Deed;
  /** With `skipped`: who has had no acknowledgement. */
  readonly by?: MemberId;
}

/** The most visits in an envelope: each member is visited once, and skipped by two at the most. */
export const visitsMax = 3 * membersMax;

/** What names a circular message: its creator, and a number unique for that creator's life. */
export interface CircleName {
  readonly creator: MemberId;
  /** Differs at every start of the creator. */
  readonly boot: string;
  readonly sequence: number;
}

/** The envelope of a circular message. */
export interface Circle extends CircleName {
  /** Raised when the creator sends the message again. */
  readonly attempt: number;
  /** In the order of the visits, the creator first; who was skipped may have been visited as well. */
  readonly visited: readonly Visit[];
}

/** Carries the list round the ring. */
export interface Update extends Envelope {
  readonly type: "UPDATE";
  readonly hop: number;
  readonly circle: Circle;
  /** For a newcomer that takes its place from this: as in INSERTED. */
  readonly stamp: Stamp;
  readonly members: readonly Member[];
}

/** The newest record of a name that a circle has met, and who holds it. */
export interface Find {
  readonly record: FileRecord;
  readonly holder: MemberId;
}

/** What one server says of itself in a SURVEY, before tombstones are dropped. */
export interface Survey {
  readonly id: MemberId;
  /** The digest of its list. */
  readonly list: string;
  /** The digest of its files. */
  readonly files: string;
  /** Whether it is alive, and nothing older than the survey can still reach its store. */
  readonly isSettled: boolean;
}

/** What a client asked, as it goes round the ring. */
export type Errand =
  | {
    readonly type: "WRITE";
    readonly record: FileRecord;
    /** Who has the body, should it not be in the message: the creator. */
    readonly holder: MemberId;
    /** Names the transfer in which a large body went ahead of its record. */
    readonly upload?: string;
    /** The digest of the creator's list: who knows another one sends it along with its word. */
    readonly list: string;
  }
  | { readonly type: "FIND"; readonly item: string; readonly found?: Find }
  | { readonly type: "SURVEY"; readonly upTo: Stamp; readonly surveys: readonly Survey[] }
  /**
   * Asks to drop the tombstones whose stamp is not above `upTo`: every server of the creator's list,
   * whose digest is `list`, has them. Who has another list drops nothing.
   */
  | { readonly type: "COLLECT"; readonly upTo: Stamp; readonly list: string };

/** Carries what a client asked round the ring. */
export interface Forward extends Envelope {
  readonly type: "FORWARD";
  readonly hop: number;
  readonly circle: Circle;
  readonly errand: Errand;
  /** The sender's list, if one that says in `circle` that it has the write had another than the creator. */
  readonly members?: readonly Member[];
  /** The body of a small file; on the wire it follows the frame. */
  readonly body?: Uint8Array;
}

/** Acknowledges a hop of a circular message. */
export interface Ack extends Envelope {
  readonly type: "ACK";
  readonly hop: number;
}

/** Tells the creator of a circle what the sender has done with it. */
export interface Report extends Envelope {
  readonly type: "REPORT";
  readonly circle: CircleName;
  readonly deed: Deed;
  /** The sender's list, if it is not the one that the creator had. */
  readonly members?: readonly Member[];
}

/** Asks for the records that may differ. */
export interface Compare extends Envelope {
  readonly type: "COMPARE";
  readonly sequence: number;
  /** The sender's own record: whoever answers passes new writes on to it from then on. */
  readonly member: Member;
  /** The digests of the sender's buckets, one after the other. */
  readonly digests: string;
  /** The name after which to go on, in the order of (bucket, name); empty at first. */
  readonly after: string;
}

/** The answer to a COMPARE: all records, tombstones too, of buckets whose digests differ. */
export interface Page extends Envelope {
  readonly type: "PAGE";
  readonly sequence: number;
  readonly records: readonly FileRecord[];
  /** Given when there are more: the name of the last one here. */
  readonly next?: string;
  /** Present, and true, if the sender may itself have missed writes. */
  readonly partial?: true;
}

/**
 * Tells a member that was held gone, and is back, that it may have missed writes: it compares with the
 * sender before it counts as a copy again.
 */
export interface Missed extends Envelope {
  readonly type: "MISSED";
}

/**
 * Refuses a message: of a stranger (403), of a server that goes under the receiver's own identity
 * (409), or for somebody else (421).
 */
export interface Refuse extends Envelope {
  readonly type: "REFUSE";
  readonly status: 403 | 409 | 421;
  /** To whom the refused message was addressed; empty if to an address only. */
  readonly intended: MemberId | "";
  /** With 409: when the sender was started, in milliseconds since 1970. */
  readonly since?: number;
  readonly error: string;
}

/** What servers tell each other. */
export type MemberMessage =
  | Insert
  | Inserted
  | Check
  | Checked
  | Ask
  | Vouch
  | Update
  | Forward
  | Ack
  | Report
  | Compare
  | Page
  | Missed
  | Refuse;

/**
 * A large body on its way round the ring, ahead of its record: each server stores it and passes it
 * on while it arrives. Handled by the shell, as it is all I/O.
 */
export interface BodyMessage {
  readonly type: "BODY";
  readonly from: MemberId;
  readonly to: MemberId;
  readonly upload: string;
  readonly visited: readonly MemberId[];
  readonly size: number;
}

/** Asks a member for a body by its hash; answered by the same with a status, and the body. */
export interface FetchMessage {
  readonly type: "FETCH";
  readonly sha256: string;
}

/** The answer to a FETCH: 200 and the body, or 404. */
export interface FetchAnswer {
  readonly type: "FETCH";
  readonly status: 200 | 404;
  readonly sha256: string;
  readonly size?: number;
  readonly error?: string;
}
