/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** Plays one batch of seeds after another, as `main.ts` sends them. */
import { type Batch, playBatch } from "./batch.ts";

self.onmessage = ({ data }: MessageEvent<Batch>) => self.postMessage(playBatch(data));
