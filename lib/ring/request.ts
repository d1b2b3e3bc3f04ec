/**
 * What clients ask a server, and what it answers.
 *
 * A request and its answer have the same `type`; the answer has a `status`, with HTTP's numbers. How
 * these become bytes is in `lib/protocol/`.
 */
import type { FileRecord } from "./file_record.ts";
import type { Member, MemberId } from "./member.ts";
import type { Stamp } from "./stamp.ts";

/** What a client asks about one file. */
export type FileRequest =
  | { readonly type: "GET"; readonly item: string }
  | {
    readonly type: "PUT";
    readonly item: string;
    /** Bytes in the body that follows. */
    readonly size: number;
    readonly contentType?: string;
  }
  | { readonly type: "DELETE"; readonly item: string };

/** What a client asks. */
export type ClientRequest =
  | FileRequest
  | {
    readonly type: "LIST";
    /** Only names that start so; empty for all. */
    readonly prefix: string;
    /** Only names after this one: the `next` of the page before; empty for the first page. */
    readonly after: string;
  }
  | { readonly type: "STATUS" }
  /** Asks the server to leave the ring and stop. */
  | { readonly type: "LEAVE" }
  /** Asks to take a member off the list that is gone for good. */
  | {
    readonly type: "FORGET";
    /** Its address, or the first digits of its id. */
    readonly member: string;
  }
  /** Asks for what the tombstones take up: they are dropped if no server can be without them. */
  | { readonly type: "GC" }
  /** Asks the server to read and check all that it has, and to repair it. */
  | { readonly type: "VERIFY" };

/** The answer to a GET, a PUT or a DELETE. The body of a GET that is 200 follows it. */
export interface FileAnswer {
  readonly type: "GET" | "PUT" | "DELETE";
  readonly item: string;
  /** HTTP's: 200, 201, 404, 503, 504, 507. */
  readonly status: number;
  /** Bytes in the file. */
  readonly size?: number;
  readonly sha256?: string;
  readonly contentType?: string;
  readonly stamp?: Stamp;
  /** How many servers have this write on disk, in the answer to a PUT or a DELETE. */
  readonly copies?: number;
  /** What went wrong, in one sentence. */
  readonly error?: string;
}

/** One page of the files of a server, in the order of their names. */
export interface ListAnswer {
  readonly type: "LIST";
  readonly status: 200;
  readonly files: readonly FileRecord[];
  /** Given when there are more: ask again with `after` set to this. */
  readonly next?: string;
}

/** The ring as one server sees it. */
export interface StatusAnswer {
  readonly type: "STATUS";
  readonly status: 200;
  readonly version: string;
  readonly id: MemberId;
  readonly address: string;
  /** Every member known, dead ones included, in the order of the circle from this server on. */
  readonly members: readonly Member[];
  /** Given, and true, while there is no room on the server's disk: it takes no files. */
  readonly readOnly?: true;
  /** While the server is joining: how many records of another it has compared with its own. */
  readonly compared?: number;
  readonly files: number;
  readonly bytes: number;
  /** Equal on two servers when, and only when, they hold the same records: deletions, too. */
  readonly digest: string;
}

/** The answer to a LEAVE or a FORGET, and the member that it was about. */
export interface MemberAnswer {
  readonly type: "LEAVE" | "FORGET";
  /** 200; for a FORGET also 404, there is no such member, and 409, it is not gone. */
  readonly status: number;
  readonly id?: MemberId;
  readonly address?: string;
  readonly error?: string;
}

/** The answer to a GC. */
export interface CollectAnswer {
  readonly type: "GC";
  /** 200; 409, a server is missing, or differs; 503, another reason; 504, not all have answered. */
  readonly status: 200 | 409 | 503 | 504;
  /** How many tombstones the server asked has dropped. */
  readonly dropped?: number;
  readonly error?: string;
}

/** The answer to a VERIFY: what one server has found of what it holds. */
export interface VerifyAnswer {
  readonly type: "VERIFY";
  /** 200; 503, it stops, or another VERIFY is under way. */
  readonly status: 200 | 503;
  /** How many records were checked, tombstones too. */
  readonly checked?: number;
  /** The names of what was damaged: the first of them, as many as fit. */
  readonly damaged?: readonly string[];
  readonly damagedCount?: number;
  /** The names of what was damaged and could not be had from another server: the first of them. */
  readonly lost?: readonly string[];
  readonly lostCount?: number;
  readonly error?: string;
}

/** What answers a frame that is no request, or a request that is malformed. */
export interface ErrorAnswer {
  readonly type: "ERROR";
  readonly status: number;
  readonly error: string;
}

/** What a server answers a client. */
export type ClientAnswer =
  | FileAnswer
  | ListAnswer
  | StatusAnswer
  | MemberAnswer
  | CollectAnswer
  | VerifyAnswer
  | ErrorAnswer;
