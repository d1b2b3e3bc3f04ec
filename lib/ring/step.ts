/**
 * What goes into the core and what comes out: `node.step(input, now)` returns effects.
 *
 * The shell performs the effects of a step in their order, and hands the next input in only then.
 * Effects with a `token` are answered by an input with the same token, at once or later, in any order.
 * A `save` is durable before the effect after it is performed; a `write` is when it is answered.
 */
import type { Address } from "./address.ts";
import type { FileRecord } from "./file_record.ts";
import type { Member, MemberId } from "./member.ts";
import type { MemberMessage } from "./message.ts";
import type { CollectAnswer, FileAnswer } from "./request.ts";
import type { Stamp } from "./stamp.ts";

/** The time of a step. */
export interface Now {
  /** Milliseconds that never go back: for intervals and deadlines. */
  readonly monotonic: number;
  /** Milliseconds since 1970, which may jump: for stamps only. */
  readonly wall: number;
}

/** Names an effect that an input will answer. */
export type Token = number;

/** Names a connection, chosen by the shell: a `reply` goes back on the one the message came on. */
export type Link = number;

/** Names a client's request, chosen by the shell. */
export type RequestId = number;

/** What a client asks, as the shell hands it to the core. */
export type Ask =
  | {
    readonly type: "GET";
    readonly item: string;
    /** Present, and true, if the record is here and its body turned out to be lost. */
    readonly bodyLost?: true;
  }
  | { readonly type: "DELETE"; readonly item: string }
  | {
    readonly type: "PUT";
    readonly item: string;
    readonly sha256: string;
    readonly size: number;
    readonly contentType: string;
    /** The body, if it is at most `inlineBytesMax`; a larger one is in the store already. */
    readonly body?: Uint8Array;
    /** Names the transfer in which a large body went ahead. */
    readonly upload?: string;
  };

/** A record to store, with its body if that is small and the record is no tombstone. */
export interface RecordWrite {
  readonly record: FileRecord;
  readonly body?: Uint8Array;
}

/** What became of a {@linkcode RecordWrite}. */
export type WriteOutcome =
  /** It is on disk now; `previous` is the record that it replaced. */
  | { readonly outcome: "stored"; readonly previous?: FileRecord }
  /** The record that was there has the same stamp or a greater one, and stays. */
  | { readonly outcome: "superseded"; readonly previous: FileRecord }
  /** Neither the write nor the store has the body; nothing was changed. */
  | { readonly outcome: "bodyMissing" }
  /** There is no room on the disk; nothing was changed. */
  | { readonly outcome: "full" };

/** What happens to a server. */
export type Input =
  /** The first input, once: begin. */
  | { readonly type: "start" }
  | { readonly type: "message"; readonly link: Link; readonly message: MemberMessage }
  /**
   * The shell could not deliver what was sent to `address`, all of it that was not answered:
   * `refused`, its host is up and nobody listens there; `closed`, a connection broke.
   */
  | {
    readonly type: "unreachable";
    readonly address: Address;
    readonly reason: "refused" | "closed";
  }
  | { readonly type: "request"; readonly request: RequestId; readonly ask: Ask }
  | {
    readonly type: "written";
    readonly token: Token;
    readonly outcome: WriteOutcome;
    /** The digest of the store's files now. */
    readonly files: string;
  }
  | { readonly type: "looked"; readonly token: Token; readonly record?: FileRecord }
  | { readonly type: "digested"; readonly token: Token; readonly digests: string }
  | {
    readonly type: "compared";
    readonly token: Token;
    readonly records: readonly FileRecord[];
    readonly next?: string;
  }
  | {
    readonly type: "collected";
    readonly token: Token;
    readonly dropped: number;
    /** The digest of the store's files now. */
    readonly files: string;
  }
  /** A `fetch` has ended; a small body is here, a large one in the store. */
  | {
    readonly type: "fetched";
    readonly token: Token;
    readonly ok: boolean;
    readonly body?: Uint8Array;
  }
  /** The time of the last `wake` effect has come; too early or too often is harmless. */
  | { readonly type: "wake" }
  /**
   * What is stored under these names was found damaged, and was removed; answered by `mended`.
   * `files` is the digest of the store's files now.
   */
  | {
    readonly type: "damaged";
    readonly request: RequestId;
    readonly names: readonly string[];
    readonly files: string;
  }
  /** A person asks that tombstones be dropped, on all servers; answered by `answer`. */
  | { readonly type: "collect"; readonly request: RequestId }
  /** A person says that a member that is dead or has left will not come back. */
  | { readonly type: "forget"; readonly member: MemberId }
  /** The server is asked to stop: leave the ring. */
  | { readonly type: "leave" };

/** The bounds that the core keeps: requests under way, names looked for, the time of a circle. */
export type CoreBound = "requests" | "look_ups" | "circle_time";

/** What the shell is to do. */
export type Effect =
  /** Make what this server says of itself and its list durable before any effect after this one. */
  | ({ readonly type: "save" } & SavedRing)
  /** Make a record durable if it is newer than what is there; answered by `written`. */
  | { readonly type: "write"; readonly token: Token; readonly write: RecordWrite }
  /** Read the record of a name; answered by `looked`. */
  | { readonly type: "look"; readonly token: Token; readonly item: string }
  /** Tell the digests of all buckets; answered by `digested`. */
  | { readonly type: "digest"; readonly token: Token }
  /**
   * Read the records, tombstones too, of the buckets whose digests are not these, in the order of
   * (bucket, name), after a name; answered by `compared`.
   */
  | {
    readonly type: "compare";
    readonly token: Token;
    readonly digests: string;
    readonly after: string;
    readonly limit: number;
  }
  /** Drop tombstones that are not above a stamp, `limit` at the most; answered by `collected`. */
  | {
    readonly type: "collect";
    readonly token: Token;
    readonly upTo: Stamp;
    readonly limit: number;
  }
  /**
   * Have the body of `record` here: wait for `upload` if it is arriving, else get it from one of
   * the sources, tried in turn, and verify its hash; answered by `fetched`.
   */
  | {
    readonly type: "fetch";
    readonly token: Token;
    readonly record: FileRecord;
    readonly sources: readonly Address[];
    readonly upload?: string;
  }
  /** Send to a member, without waiting; what cannot be delivered comes back as `unreachable`. */
  | { readonly type: "send"; readonly address: Address; readonly message: MemberMessage }
  /** Send on the connection on which a message came; dropped if that is gone. */
  | { readonly type: "reply"; readonly link: Link; readonly message: MemberMessage }
  /** Answer a client. A GET that is 200 has its body in the store. */
  | {
    readonly type: "answer";
    readonly request: RequestId;
    readonly answer: FileAnswer | CollectAnswer;
  }
  /** What was damaged is whole again, but for the names in `lost`. */
  | { readonly type: "mended"; readonly request: RequestId; readonly lost: readonly string[] }
  /** Hand in `wake` at this monotonic time; replaces the `wake` before. */
  | { readonly type: "wake"; readonly at: number }
  /** The circle has changed: these are its members, from this server on. */
  | { readonly type: "circle"; readonly members: readonly Member[] }
  /** Something was refused, or given up, as a bound is reached: to be counted. */
  | { readonly type: "refused"; readonly bound: CoreBound }
  /** Something an operator would want to read. */
  | { readonly type: "note"; readonly level: "info" | "warning"; readonly text: string }
  /** This server cannot go on, or has left: stop it. */
  | {
    readonly type: "stop";
    readonly reason: "left" | "noPrevious" | "cloned";
    readonly text: string;
  };

/** What a server saves of itself and of the ring. */
export interface SavedRing {
  /** This server's incarnation; 0 if it has never run. */
  readonly incarnation: number;
  readonly members: readonly Member[];
  /** Above every stamp that this server has made. */
  readonly stampCeiling: Stamp;
}

/** What a server knew when it stopped. */
export interface StoredRing extends Omit<SavedRing, "stampCeiling"> {
  /** The highest stamp of any record, or the ceiling if that is higher; at first `stampZero`. */
  readonly highestStamp: Stamp;
}
