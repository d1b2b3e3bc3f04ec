/** A mutant: the code with one bug planted, to show that the simulator's checks can see it. */

/** One small patch; its name says what the code does wrong with it. */
export interface Mutant {
  readonly name: string;
  /** The file that it changes, from the root of the project. */
  readonly file: string;
  /** What stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/**
 * The text of a file with a mutant's patch applied.
 * @throws {Error} If what the patch replaces is not there, or more than once.
 */
export function applyMutant({ name, file, find, replace }: Mutant, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2) {
    const found = parts.length - 1;
    throw new Error(`Cannot plant "${name}" in ${file}: what it replaces is there ${found} times`);
  }
  return parts.join(replace);
}
