/** The content type of a file, by the ending of its name. */
import { contentType } from "@std/media-types";

/** What is said of a file whose name tells nothing. */
const contentTypeDefault = "application/octet-stream";

/** For example `text/html; charset=utf-8` for `index.html`. */
export function contentTypeOf(name: string): string {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const dot = base.lastIndexOf(".");
  const known = dot < 1 ? undefined : contentType(base.slice(dot));
  return known?.replace("charset=UTF-8", "charset=utf-8") ?? contentTypeDefault;
}
