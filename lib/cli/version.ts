/** The version of this program, as deno.json has it. */
import config from "../../deno.json" with { type: "json" };

/** For example `0.1.0`. */
export const version: string = config.version;
