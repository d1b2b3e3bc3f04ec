/** Which member a person means that is to be forgotten. */
import { isLive, type Member } from "../ring/member.ts";
import type { MemberAnswer } from "../ring/request.ts";

/** How many digits of an id there must be at the least, not to mean another one by mistake. */
const idDigitsMin = 4;

/**
 * The member at an address, or whose id begins so: 200 if it is one that is gone, 409 if one that is
 * not or if more than one is meant, 404 if none is.
 */
export function findGone(members: readonly Member[], text: string): MemberAnswer {
  const type = "FORGET";
  const meant = members.filter((member) => member.status !== "forgotten" && isMeant(member, text));
  const gone = meant.filter((member) => !isLive(member));
  const [member, second] = gone;
  if (second !== undefined) {
    const error = `${gone.length} members are meant by ${
      JSON.stringify(text)
    }; give more of the id`;
    return { type, status: 409, error };
  }
  if (member !== undefined) return { type, status: 200, id: member.id, address: member.address };
  const [live] = meant;
  if (live === undefined) {
    return { type, status: 404, error: "No member has this address or id" };
  }
  const { id, address, status } = live;
  return { type, status: 409, id, address, error: `${address} is ${status}; stop it first` };
}

function isMeant({ id, address }: Member, text: string): boolean {
  return address === text || (text.length >= idDigitsMin && id.startsWith(text));
}
