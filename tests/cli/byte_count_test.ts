import { assertEquals } from "@std/assert";
import { parseByteCount } from "../../lib/cli/byte_count.ts";

for (
  const [text, bytes] of [
    ["1", 1],
    ["1048576", 1048576],
    ["500MB", 500_000_000],
    ["500 mb", 500_000_000],
    ["1GiB", 1024 ** 3],
    ["1.5KiB", 1536],
    ["2tib", 2 * 1024 ** 4],
    ["0", undefined],
    ["", undefined],
    ["-1", undefined],
    ["1e9", undefined],
    ["1 elephant", undefined],
    ["MB", undefined],
    ["1XB", undefined],
    ["999999999TiB", undefined],
  ] as const
) {
  Deno.test(`parseByteCount("${text}") is ${bytes}`, () => {
    assertEquals(parseByteCount(text), bytes);
  });
}
