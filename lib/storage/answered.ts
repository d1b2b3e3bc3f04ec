/** A file that is answered: what the ring said of it, and its body. */
import type { FileAnswer } from "../ring/request.ts";
import type { BodyReader } from "./store.ts";

/** The answer to a client, and with a GET that is 200 the body, open; the receiver closes it. */
export interface Answered {
  readonly answer: FileAnswer;
  readonly body?: BodyReader;
}
