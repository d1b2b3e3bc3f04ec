/** What `ring` tells the shell that started it. The numbers are part of its interface. */
export const exitCode = {
  /** All that was asked is done. */
  done: 0,
  /** It was tried and did not work; for several files, at least one did not. */
  failed: 1,
  /** The command line is wrong; nothing was tried. */
  usage: 2,
  /** There is no such file in the ring. */
  notFound: 3,
  /** No server answered, or the ring cannot do it now. */
  unavailable: 5,
  /** A signal cut it short: 128 and the number of SIGINT, as shells count. */
  interrupted: 130,
} as const;

/** One of {@linkcode exitCode}. */
export type ExitCode = typeof exitCode[keyof typeof exitCode];
