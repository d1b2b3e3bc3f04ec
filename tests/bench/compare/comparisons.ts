/** All that is compared, by the name for `--only`, in the order of the table. */
import type { Comparison } from "../comparison.ts";
import { getHttp } from "./get_http.ts";
import { putHttp } from "./put_http.ts";
import { putPipelined } from "./put_pipelined.ts";

export const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ["put-http", putHttp],
  ["put-pipelined", putPipelined],
  ["get-http", getHttp],
]);
