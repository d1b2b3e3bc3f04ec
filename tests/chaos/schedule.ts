/**
 * Which faults happen: a stream drawn from a seed, the same for the same seed.
 *
 * A fault names the servers it strikes by number and says how long it lasts. Kinds are drawn like cards:
 * each comes once before any comes again, so that a short run meets them all. What depends on the ring
 * at that moment, such as who follows a server on the circle, is found when the fault begins.
 */
import { Random } from "../simulator/random.ts";

/** What can happen to the servers. */
export const faultKinds = [
  "kill one",
  "kill neighbours",
  "kill all but one",
  "kill all",
  "pause one",
  "pause neighbours",
  "terminate one",
  "rolling restart",
  "wiped disk",
  "cut in halves",
  "cut off one",
  "cut to successor",
  "cut from successor",
  "packet loss",
  "full disk",
  "clock step",
] as const;

/** One of {@linkcode faultKinds}. */
export type FaultKind = typeof faultKinds[number];

/** A fault that is going to happen. */
export interface PlannedFault {
  /** Counts from 1. */
  readonly number: number;
  readonly kind: FaultKind;
  /** All servers, by number from 0, in random order: the fault strikes the first ones. */
  readonly order: readonly number[];
  /** How long after the fault before ends this one begins, in milliseconds. */
  readonly gapMs: number;
  /** Whether to begin only when the ring is whole again, or at once, into the recovery. */
  readonly waits: boolean;
  /** From its beginning to its end, in milliseconds. */
  readonly lastsMs: number;
  /** How far a clock is set, in milliseconds, forward or back. */
  readonly clockStepMs: number;
  /** Whether a server that is started again is told a previous server, or finds its ring itself. */
  readonly hasPrevious: boolean;
  /** Whether a server that is started again listens at another port than before. */
  readonly hasNewPort: boolean;
}

/** How long a fault lasts, in milliseconds: any time between two, or one of some. */
type Duration = { readonly least: number; readonly most: number } | readonly number[];

/** A killed server stays away for as long as a restart by hand takes, or a little longer. */
const briefly: Duration = { least: 200, most: 6_000 };
/** Not noticed; noticed, and just dead; long dead. */
const paused: Duration = [1_000, 10_000, 60_000];
const pausedTogether: Duration = [1_000, 10_000];
/** Long enough for both sides to close their circles, or not quite. */
const cut: Duration = { least: 2_000, most: 12_000 };
const lossy: Duration = { least: 3_000, most: 12_000 };
const atOnce: Duration = { least: 0, most: 0 };

const durations: Readonly<Record<FaultKind, Duration>> = {
  "kill one": briefly,
  "kill neighbours": briefly,
  "kill all but one": briefly,
  "kill all": briefly,
  "pause one": paused,
  "pause neighbours": pausedTogether,
  "terminate one": briefly,
  "rolling restart": atOnce,
  "wiped disk": briefly,
  "cut in halves": cut,
  "cut off one": cut,
  "cut to successor": cut,
  "cut from successor": cut,
  "packet loss": lossy,
  "full disk": lossy,
  "clock step": lossy,
};

const gap: Duration = { least: 300, most: 3_000 };
/** Clocks are set by little, so that stamps are odd, or by so much that the server must not write. */
const clockStepMsMax = { little: 50_000, much: 3_600_000 };
const waitChance = 0.7;
const previousChance = 0.4;
const newPortChance = 0.2;

/** The faults that `seed` stands for, without an end; of `kinds` only, which has one at least. */
export function* planFaults(
  seed: string,
  { kinds, servers }: { readonly kinds: readonly FaultKind[]; readonly servers: number },
): Generator<PlannedFault, never, void> {
  const random = new Random(seed).fork("faults");
  for (let number = 1;;) {
    for (const kind of random.shuffle(kinds)) {
      yield planFault(random, { kind, number: number++, servers });
    }
  }
}

/**
 * Whether servers that run may not hear, while it lasts, of what others acknowledge. After "kill all"
 * the first that is back cannot ask those that are not.
 */
export function divides(kind: FaultKind): boolean {
  switch (kind) {
    case "kill all":
    case "cut in halves":
    case "cut off one":
    case "cut to successor":
    case "cut from successor":
    case "packet loss":
      return true;
    default:
      return false;
  }
}

/** Draws a fault; draws as often whatever its kind is. */
function planFault(
  random: Random,
  { kind, number, servers }: { kind: FaultKind; number: number; servers: number },
): PlannedFault {
  const draw = (duration: Duration) =>
    "least" in duration
      ? random.between(duration.least, duration.most)
      : random.pick(duration) ?? 0;
  const stepMsMax = random.chance(0.5) ? clockStepMsMax.little : clockStepMsMax.much;
  return {
    number,
    kind,
    order: random.shuffle(Array.from({ length: servers }, (_, index) => index)),
    gapMs: draw(gap),
    waits: random.chance(waitChance),
    lastsMs: draw(durations[kind]),
    clockStepMs: random.between(-stepMsMax, stepMsMax),
    hasPrevious: random.chance(previousChance),
    hasNewPort: random.chance(newPortChance),
  };
}
