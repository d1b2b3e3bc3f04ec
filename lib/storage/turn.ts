import { setImmediate } from "node:timers";

/** Lets the event loop turn once: what is long must not keep everything else waiting. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => resolve()));
}
