/** What a run says at its end: faults, operations, latencies. */
import type { Operation } from "./history.ts";
import { type Growth, mebibytes } from "./usage.ts";

/** How long the ring took, after each kind of fault, in milliseconds. */
export class Recoveries {
  readonly #counts = new Map<string, number>();
  readonly #closed = new Map<string, number[]>();
  readonly #whole = new Map<string, number[]>();

  /** A fault of this kind has begun. */
  count(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** The servers that it left agreed, so long after it began. */
  addClosed(kind: string, milliseconds: number): void {
    this.#closed.set(kind, [...this.#closed.get(kind) ?? [], milliseconds]);
  }

  /** All agreed that all are alive, so long after it ended. */
  addWhole(kind: string, milliseconds: number): void {
    this.#whole.set(kind, [...this.#whole.get(kind) ?? [], milliseconds]);
  }

  /** How many faults there were. */
  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** A table, a line for each kind. */
  lines(): readonly string[] {
    const header = ["fault", "count", "survivors agree p50/max", "whole again p50/max"];
    const rows = [...this.#counts].map(([kind, count]) => [
      kind,
      String(count),
      spread(this.#closed.get(kind) ?? []),
      spread(this.#whole.get(kind) ?? []),
    ]);
    return table([header, ...rows]);
  }
}

/** A table of operations by type and outcome, with how long they took. */
export function operationLines(operations: readonly Operation[]): readonly string[] {
  const groups = new Map<string, number[]>();
  for (const { type, outcome, start, end } of operations) {
    const key = `${type} ${outcome}`;
    const times = groups.get(key) ?? [];
    times.push(end - start);
    groups.set(key, times);
  }
  const header = ["operation", "count", "p50", "p99"];
  const rows = [...groups].sort(([a], [b]) => a < b ? -1 : 1).map(([key, times]) => [
    key,
    String(times.length),
    duration(percentile(times, 0.5)),
    duration(percentile(times, 0.99)),
  ]);
  return table([header, ...rows]);
}

/** What processes used when they were warm, and at the most after that. */
export function usageLine(growths: readonly Growth[]): string {
  if (growths.length === 0) return "  memory: no process was measured";
  const warm = growths.map(({ warm }) => warm.memory);
  const peak = growths.map(({ peak }) => peak.memory);
  const growth = growths.map(({ warm, peak }) => peak.memory - warm.memory);
  return `  memory of ${growths.length} processes: warm up to ${mebibytes(Math.max(...warm))}, ` +
    `then up to ${mebibytes(Math.max(...peak))}; grown by up to ${mebibytes(Math.max(...growth))}`;
}

/** The value that `share` of all values do not exceed; 0 if there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * share) - 1, 0)] ?? 0;
}

/** A time in milliseconds, for a person: `12 ms`, `3.4 s`. */
export function duration(milliseconds: number): string {
  return milliseconds < 1_000
    ? `${Math.round(milliseconds)} ms`
    : `${(milliseconds / 1_000).toFixed(1)} s`;
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return "–";
  const [median, most] = [percentile(values, 0.5), Math.max(...values)];
  return `${duration(median)} / ${duration(most)} (${values.length})`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    `  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd()
  );
}
