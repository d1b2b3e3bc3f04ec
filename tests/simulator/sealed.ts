/**
 * Messages and effects as they leave the core: frozen for good, and fit for JSON.
 *
 * What `step` returned may not change later; freezing makes a change throw where it is made. A
 * message becomes JSON on the wire, so whatever JSON would lose or alter (`undefined`, `NaN`, a
 * `Map`) is refused. What is frozen was sealed before. Bodies are bytes, travel apart, and cannot be frozen.
 */
import { SimulationFailure } from "./failure.ts";

/** Freezes `value` and all in it, and returns it; throws where it is not fit for JSON. */
export function sealed<T>(value: T): T {
  seal(value, "it");
  return value;
}

function seal(value: unknown, key: string): void {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (Number.isFinite(value)) return;
      break;
    case "object":
      if (value === null || Object.isFrozen(value)) return;
      if (value instanceof Uint8Array) return;
      if (!isPlain(value)) break;
      for (const key in value) seal(Reflect.get(value, key), key);
      Object.freeze(value);
      return;
  }
  throw new SimulationFailure(
    "sealed",
    `What the core returned cannot become JSON: ${key} is ${String(value)}`,
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}
