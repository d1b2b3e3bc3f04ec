/** What somebody who mistyped a word most likely meant. */
import { closestString } from "@std/text";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The longest word, in characters, that is worth comparing. */
const wordLengthMax = 64;

/**
 * The candidate nearest to `word`, or `undefined` if none is near: a third of the letters may be
 * wrong, a beginning of at least two letters will do, and so will one word more (`data-dir`).
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > wordLengthMax || candidates.length === 0) return undefined;
  const typed = word.toLowerCase();
  const closest = closestString(typed, candidates, { compareFn: countMistakes });
  if (countMistakes(typed, closest) <= Math.max(1, Math.ceil(typed.length / 3))) return closest;
  if (typed.length < 2) return undefined;
  return candidates.find((candidate) =>
    candidate.startsWith(typed) || typed.startsWith(`${candidate}-`)
  );
}

/** The letters to add, drop or change; two that changed places (`prot`) count as one mistake. */
function countMistakes(typed: string, meant: string): number {
  const swapped = typed !== meant && sortLetters(typed) === sortLetters(meant);
  return levenshteinDistance(typed, meant) - (swapped ? 1 : 0);
}

function sortLetters(word: string): string {
  return [...word].sort().join("");
}
