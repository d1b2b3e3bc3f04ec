/** Something about the world that keeps `./ring` from being built; the message is for the user. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
