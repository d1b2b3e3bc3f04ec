import { assertEquals } from "@std/assert";
import { formatHttpDate, modifiedMillis, parseHttpDate } from "../../lib/web/last_modified.ts";

const millis = Date.UTC(1994, 10, 6, 8, 49, 37);
const now = Date.UTC(2026, 0, 1);

Deno.test("parseHttpDate() takes a date in all three forms", () => {
  for (
    const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ]
  ) assertEquals(parseHttpDate(text, now), millis, text);
});

Deno.test("parseHttpDate() takes a year of two digits for one of the last 50 or the next 50", () => {
  assertEquals(parseHttpDate("Friday, 01-Jan-70 00:00:00 GMT", now), Date.UTC(2070, 0, 1));
  assertEquals(parseHttpDate("Friday, 01-Jan-77 00:00:00 GMT", now), Date.UTC(1977, 0, 1));
});

Deno.test("parseHttpDate() takes nothing else", () => {
  for (
    const text of [
      ...["", "0", "2026-01-01T00:00:00Z", "Sun, 06 Nov 1994 08:49:37 CET"],
      ...["Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"],
      ...["Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT"],
      " Sun, 06 Nov 1994 08:49:37 GMT",
    ]
  ) assertEquals(parseHttpDate(text, now), undefined, text);
});

Deno.test("formatHttpDate() writes what parseHttpDate() reads", () => {
  assertEquals(formatHttpDate(millis), "Sun, 06 Nov 1994 08:49:37 GMT");
});

Deno.test("modifiedMillis() is the second of a stamp", () => {
  const time = (millis + 999).toString(16).padStart(12, "0");
  assertEquals(modifiedMillis(`${time}-0001-${"a".repeat(32)}`), millis);
});
