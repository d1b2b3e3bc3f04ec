/** Some of a campaign's frames, one after the other, against the decoders. */
import { type AllocationMeter, judge, type Outcome } from "./decoder_oracle.ts";
import { makeFrame } from "./hostile_frame.ts";

/** How many bytes of a frame are printed at the most. */
const printedBytesMax = 2000;

/** Which frames: from `first` on, below `end`. */
export interface DecoderRun {
  readonly seed: string;
  readonly first: number;
  readonly end: number;
}

/** How often each outcome was met, and what does not hold, if anything. */
export interface DecoderResult {
  readonly counts: ReadonlyMap<Outcome, number>;
  readonly failure?: string;
}

/** Judges frames; ends at the first that fails. */
export function runDecoder(
  { seed, first, end }: DecoderRun,
  meter?: AllocationMeter,
): DecoderResult {
  const counts = new Map<Outcome, number>();
  for (let number = first; number < end; number++) {
    const { bytes, changes, random } = makeFrame(seed, number);
    try {
      const outcome = judge(bytes, random, meter);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    } catch (error) {
      return { counts, failure: describe({ seed, number, bytes, changes, error }) };
    }
  }
  const polluted = Object.keys(Object.prototype);
  if (polluted.length === 0) return { counts };
  return { counts, failure: `Object.prototype has got ${polluted} before frame ${end}` };
}

function describe(
  { seed, number, bytes, changes, error }: {
    seed: string;
    number: number;
    bytes: Uint8Array;
    changes: readonly string[];
    error: unknown;
  },
): string {
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  return `Frame ${number} (${changes.join(", ") || "good"}): ${reason}\n` +
    `its ${bytes.length} bytes: ${bytes.subarray(0, printedBytesMax).toHex()}\n` +
    `Play it again: deno task fuzz --only decoder --seed ${seed} --frame ${number}`;
}
