/** The seeds that once failed, from `seeds.txt`: a number and what it found, one a line. */
import text from "./seeds.txt" with { type: "text" };

/** One line of `seeds.txt`. */
export interface RecordedSeed {
  readonly seed: number;
  readonly found: string;
}

/** Every recorded seed, in the order of the file. */
export const recordedSeeds: readonly RecordedSeed[] = parseSeeds(text);

/** Reads lines of a number, a space and a sentence; `#` begins a comment. */
export function parseSeeds(text: string): RecordedSeed[] {
  return text.split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const match = /^([0-9]+) +(.+)$/.exec(line);
      if (match === null) throw new Error(`Cannot read the seed in "${line}": it is no number`);
      return { seed: Number(match[1]), found: match[2] ?? "" };
    });
}
