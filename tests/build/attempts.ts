/** What a program may do, found out by trying. */

/** Attempts by name; each throws, as a rule `NotCapable`, where it may not. */
export type Attempts = Readonly<Record<string, () => unknown>>;

/** Makes the attempts one after the other: each with `done`, or the name of what it threw. */
export async function makeAttempts(attempts: Attempts): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      outcomes[name] = "done";
    } catch (error) {
      outcomes[name] = error instanceof Error ? error.name : "?";
    }
  }
  return outcomes;
}
