import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { clockText, renderProgress } from "../../lib/cli/progress.ts";

const half = { label: "get", doneBytes: 50_000_000, totalBytes: 100_000_000, elapsedMs: 5000 };

for (
  const [name, state, columns, line] of [
    [
      "bar, share, bytes, rate and time left",
      half,
      80,
      "get [==============>             ]  50%  50 MB of 100 MB  10 MB/s  0:05 left",
    ],
    [
      "a full bar at the end",
      { ...half, doneBytes: half.totalBytes },
      80,
      "get [============================] 100%  100 MB of 100 MB  20 MB/s  0:00 left",
    ],
    [
      "no rate before anything has moved",
      { ...half, doneBytes: 0, elapsedMs: 0 },
      80,
      "get [>                           ]   0%  0 B of 100 MB",
    ],
    ["no bar where there is no room", half, 50, "get  50%  50 MB of 100 MB  10 MB/s  0:05 left"],
    ["as much as fits", half, 10, "get  50%  "],
  ] as const
) {
  Deno.test(`renderProgress() shows ${name}`, () => {
    assertEquals(renderProgress(state, columns), line);
  });
}

Deno.test("renderProgress() never takes more than its columns", () => {
  const size = fc.integer({ min: 0, max: 2 ** 50 });
  fc.assert(
    fc.property(
      size,
      size,
      fc.nat(1e9),
      fc.nat(200),
      (doneBytes, totalBytes, elapsedMs, columns) => {
        const line = renderProgress({ label: "put", doneBytes, totalBytes, elapsedMs }, columns);
        assert(line.length <= columns);
      },
    ),
  );
});

for (
  const [milliseconds, text] of [
    [0, "0:00"],
    [-5, "0:00"],
    [12_400, "0:12"],
    [60_000, "1:00"],
    [3_599_000, "59:59"],
    [3_600_000, "1:00:00"],
    [90_061_000, "25:01:01"],
  ] as const
) {
  Deno.test(`clockText() shows ${milliseconds} ms as ${text}`, () => {
    assertEquals(clockText(milliseconds), text);
  });
}
