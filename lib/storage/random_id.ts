import { randomBytes } from "node:crypto";
import type { MemberId } from "../ring/member.ts";

const idBytes = 16;

/** A new member id: 128 random bits, so that no two servers ever make the same one. */
export function randomId(): MemberId {
  return randomBytes(idBytes).toString("hex");
}
