/** Shrinks a failure: finds fewer faults with which a seed still fails. */

/**
 * The shortest prefix of `faults` with which `fails` is true, and of that none that could be left out;
 * all of them if it is true with no other prefix.
 */
export function shrinkFaults(
  faults: readonly number[],
  fails: (kept: readonly number[]) => boolean,
): readonly number[] {
  let kept = shortestPrefix(faults, fails);
  for (const fault of kept) {
    const without = kept.filter((other) => other !== fault);
    if (without.length < kept.length && fails(without)) kept = without;
  }
  return kept;
}

function shortestPrefix(
  faults: readonly number[],
  fails: (kept: readonly number[]) => boolean,
): readonly number[] {
  for (let length = 0; length < faults.length; length++) {
    const prefix = faults.slice(0, length);
    if (fails(prefix)) return prefix;
  }
  return faults;
}
