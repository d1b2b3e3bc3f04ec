/** The progress bar: on a terminal, on stderr, for what takes more than a second. */
import { sizeText } from "./output.ts";

/** How long something must take, in milliseconds, before it is worth a bar. */
const showAfterMs = 1000;

/** The least time between two drawings, in milliseconds. */
const redrawMs = 100;

/** The columns of the bar itself, and of a terminal that does not say how many it has. */
const barColumns = { min: 8, max: 30 };
const terminalColumnsDefault = 80;

/** How far something is. */
export interface ProgressState {
  /** What is going on: `put`. */
  readonly label: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly elapsedMs: number;
}

/**
 * One line of at most `columns` characters: bar, share, bytes, rate, time left.
 *
 * @example `get [=============>              ]  48%  512 MB of 1.07 GB  210 MB/s  0:03 left`
 */
export function renderProgress(state: ProgressState, columns: number): string {
  const { label, doneBytes, totalBytes, elapsedMs } = state;
  const share = totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  const bytesPerMs = elapsedMs > 0 ? doneBytes / elapsedMs : 0;
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const facts = [percent, `${sizeText(doneBytes)} of ${sizeText(totalBytes)}`];
  if (bytesPerMs > 0) {
    facts.push(`${sizeText(Math.round(bytesPerMs * 1000))}/s`);
    facts.push(`${clockText((totalBytes - doneBytes) / bytesPerMs)} left`);
  }
  const text = facts.join("  ");
  const room = columns - label.length - text.length - 4;
  if (room < barColumns.min) return `${label} ${text}`.slice(0, columns);
  return `${label} ${bar(share, Math.min(room, barColumns.max))} ${text}`;
}

/** Milliseconds as `m:ss`, or `h:mm:ss` from an hour on. */
export function clockText(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((part, index) => index === 0 ? `${part}` : `${part}`.padStart(2, "0")).join(":");
}

/** The progress of one transfer, or of several together. */
export class Progress {
  readonly #state: { label: string; totalBytes: number };
  readonly #enabled: boolean;
  readonly #begun = performance.now();
  #doneBytes = 0;
  #drawnAt = 0;
  #drawn = false;

  /** `enabled` says whether anybody wants to see it; a bar is drawn on a terminal only. */
  constructor(state: { label: string; totalBytes: number }, { enabled }: { enabled: boolean }) {
    this.#state = state;
    this.#enabled = enabled && Deno.stderr.isTerminal();
  }

  /** Notes that so many more bytes are done. */
  add(bytes: number): void {
    this.#doneBytes += bytes;
    const now = performance.now();
    if (!this.#enabled || now - this.#begun < showAfterMs || now - this.#drawnAt < redrawMs) return;
    this.#drawnAt = now;
    const elapsedMs = now - this.#begun;
    const line = renderProgress(
      { ...this.#state, doneBytes: this.#doneBytes, elapsedMs },
      terminalColumns() - 1,
    );
    this.#write(`\r${line}\x1b[K`);
    this.#drawn = true;
  }

  /** Takes the bar away: at the end, and before anything else is written to the terminal. */
  clear(): void {
    if (this.#drawn) this.#write("\r\x1b[K");
    this.#drawn = false;
  }

  #write(text: string): void {
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // The terminal is gone.
    }
  }
}

function bar(share: number, columns: number): string {
  const inner = columns - 2;
  const filled = Math.floor(share * inner);
  const head = filled < inner ? ">" : "";
  return `[${("=".repeat(filled) + head).padEnd(inner)}]`;
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || terminalColumnsDefault;
  } catch (error) {
    if (error instanceof Error) return terminalColumnsDefault; // Not a terminal that says its size.
    throw error;
  }
}
