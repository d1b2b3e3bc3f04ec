/**
 * The simulator's own random generator: xoshiro128** 1.1, seeded from text.
 *
 * It is ours because a seed that once failed must do the same for ever; a library may change what a
 * seed does. Parts of a simulation draw from forks of one generator, so that drawing once more in
 * one part does not shift another. Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number
 * Generators", 2021; reference code `xoshiro128starstar.c`.
 */

/** Four words of 32 bits, not all 0. */
export type RandomState = Uint32Array;

/** Steps `state` and returns the next word: an integer from 0 to 2³²−1. */
export function nextWord(state: RandomState): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
  state[0] = a ^ d ^ b;
  state[1] = b ^ c ^ a;
  state[2] = c ^ a ^ (b << 9);
  state[3] = rotateLeft(d ^ b, 11);
  return scrambled;
}

/** The state that a seed text stands for: FNV-1a over the text in four lanes, each then mixed. */
export function seedState(seed: string): RandomState {
  const state = new Uint32Array(4);
  for (let lane = 0; lane < state.length; lane++) {
    let hash = 0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b9);
    for (let i = 0; i < seed.length; i++) {
      hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
    }
    state[lane] = mix(hash);
  }
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** MurmurHash3's finalizer: every bit of the input changes about half of the output's. */
function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}

/** A stream of random numbers, the same for the same seed. */
export class Random {
  readonly #state: RandomState;

  constructor(readonly seed: string) {
    this.#state = seedState(seed);
  }

  /** A stream of its own, that depends on the seed and the name but not on what was drawn. */
  fork(name: string): Random {
    return new Random(`${this.seed}/${name}`);
  }

  /** An integer from 0 to `n` − 1; `n` from 1 to 2³². */
  integer(n: number): number {
    return Math.floor(nextWord(this.#state) / 2 ** 32 * n);
  }

  /** An integer from `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + this.integer(most - least + 1);
  }

  /** True with probability `p`; draws once whatever `p` is. */
  chance(p: number): boolean {
    return nextWord(this.#state) < p * 2 ** 32;
  }

  /** One of `items`, or `undefined` if there is none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.integer(Math.max(items.length, 1))];
  }

  /** One of `choices`, of which there is at least one, each as often as its weight says. */
  weighted<T extends { readonly weight: number }>(choices: readonly [T, ...T[]]): T {
    let left = this.integer(choices.reduce((sum, { weight }) => sum + weight, 0));
    for (const choice of choices) {
      left -= choice.weight;
      if (left < 0) return choice;
    }
    return choices[0];
  }

  /** A copy of `items` in random order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const rest = [...items];
    const shuffled: T[] = [];
    while (rest.length > 0) shuffled.push(...rest.splice(this.integer(rest.length), 1));
    return shuffled;
  }

  /** `digits` random lower-case hexadecimal digits. */
  hex(digits: number): string {
    let text = "";
    while (text.length < digits) text += nextWord(this.#state).toString(16).padStart(8, "0");
    return text.slice(0, digits);
  }
}
