/** All that is compared, by the name for `--only`, in the order of the table. */
import type { Comparison } from "../comparison.ts";
import { form } from "./form.ts";
import { getHttp } from "./get_http.ts";
import { getThree } from "./get_three.ts";
import { kill } from "./kill.ts";
import { manyFiles } from "./many_files.ts";
import { putHttp } from "./put_http.ts";
import { putLarge } from "./put_large.ts";
import { putPipelined } from "./put_pipelined.ts";
import { ringSize } from "./ring_size.ts";
import { smallMeanwhile } from "./small_meanwhile.ts";

export const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ["put-http", putHttp],
  ["put-pipelined", putPipelined],
  ["get-http", getHttp],
  ["get-three", getThree],
  ["put-large", putLarge],
  ["kill-one", kill],
  ["form", form],
  ["ring-size", ringSize],
  ["small-meanwhile", smallMeanwhile],
  ["many-files", manyFiles],
]);
