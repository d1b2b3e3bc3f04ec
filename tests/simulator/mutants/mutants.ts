/** All mutants; the list to add to. */
import { circleMutants } from "./circle_mutants.ts";
import { fileMutants } from "./file_mutants.ts";
import { memberMutants } from "./member_mutants.ts";
import type { Mutant } from "./mutant.ts";

/** Every bug that is planted. */
export const mutants: readonly Mutant[] = [...memberMutants, ...circleMutants, ...fileMutants];
