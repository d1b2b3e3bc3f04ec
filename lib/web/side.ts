/**
 * Sides: what one port of a web front serves.
 *
 * Without further ado it is the whole: the files, and `/_ring/`. A script in a file that somebody put has then
 * the origin of the page, and may do there what its visitor may. With `--ring-http-port` the two have a port
 * each, and so an origin each. Cookies know no ports, so the browser sends the session to both: it is good
 * for writing at the ring's side only, where no script but the page's own runs and where those of other
 * origins, the files' among them, may not write.
 */
export type Side = "whole" | "files" | "ring";
