/** Whether what servers say of the ring is the same. */
import { isLive, type Member } from "../../lib/ring/member.ts";
import type { StatusAnswer } from "../../lib/ring/request.ts";

/** Whether each of these servers says that exactly those at `addresses` are alive, in one order. */
export function areOneCircle(
  statuses: readonly StatusAnswer[],
  addresses: readonly string[],
): boolean {
  const circles = statuses.map(({ members }) => members.filter(isLive));
  const expected = addresses.map((address) => `${address} alive`).sort();
  const [first = []] = circles;
  return statuses.length === addresses.length &&
    circles.every((circle) =>
      isSame(circle.map(({ address, status }) => `${address} ${status}`).sort(), expected) &&
      isSame(turned(circle.map(recordOf)), turned(first.map(recordOf)))
    );
}

/** Whether they have one list, with those that are gone, and hold the same files. */
export function holdTheSame(statuses: readonly StatusAnswer[]): boolean {
  const [first] = statuses;
  return first !== undefined &&
    statuses.every((status) =>
      status.digest === first.digest && status.files === first.files &&
      status.bytes === first.bytes &&
      isSame(status.members.map(recordOf).sort(), first.members.map(recordOf).sort())
    );
}

/** A circle from its least member on, so that two of them can be compared. */
export function turned(circle: readonly string[]): readonly string[] {
  const [least] = [...circle].sort();
  const at = least === undefined ? 0 : circle.indexOf(least);
  return [...circle.slice(at), ...circle.slice(0, at)];
}

function recordOf({ id, incarnation, status, address, position }: Member): string {
  return [id, incarnation, status, address, position].join(" ");
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index]);
}
