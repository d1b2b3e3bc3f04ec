/** A worker that judges one share of the frames. */
import { AllocationMeter } from "./decoder_oracle.ts";
import { type DecoderRun, runDecoder } from "./decoder_run.ts";

declare const self: {
  onmessage: (event: MessageEvent<DecoderRun>) => void;
  postMessage: (message: unknown) => void;
};

self.onmessage = ({ data }) => {
  // Most frames are refused, and a stack for each takes longer than to refuse it.
  Error.stackTraceLimit = 0;
  using meter = new AllocationMeter();
  self.postMessage(runDecoder(data, meter));
};
