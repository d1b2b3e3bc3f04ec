/**
 * When a file was last modified, as HTTP says it: the clock of the stamp that its record has, and so the
 * same on every server (RFC 9110, sections 5.6.7 and 8.8.2).
 */
import { type Stamp, stampMillis } from "../ring/stamp.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const clock = "(\\d\\d):(\\d\\d):(\\d\\d)";
/** `Sun, 06 Nov 1994 08:49:37 GMT`: what everybody sends. */
const fixdate = new RegExp(`^[A-Z][a-z]{2}, (\\d\\d) ([A-Z][a-z]{2}) (\\d{4}) ${clock} GMT$`);
/** `Sunday, 06-Nov-94 08:49:37 GMT`: obsolete, and still to be understood. */
const rfc850 = new RegExp(`^[A-Z][a-z]{5,8}, (\\d\\d)-([A-Z][a-z]{2})-(\\d\\d) ${clock} GMT$`);
/** `Sun Nov  6 08:49:37 1994`: the same. */
const asctime = new RegExp(`^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \\d]\\d) ${clock} (\\d{4})$`);

/** The second in which a file was last modified, in milliseconds since 1970. */
export function modifiedMillis(stamp: Stamp): number {
  const millis = stampMillis(stamp);
  return millis - millis % 1000;
}

/** For example `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate(millis: number): string {
  return new Date(millis).toUTCString();
}

/** Milliseconds since 1970; `undefined` if the text is no date in one of HTTP's three forms. */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  const [, day, month, year, ...time] = fixdate.exec(text) ?? [];
  if (day !== undefined) return millisOf({ year: Number(year), month, day, time });
  const [, day850, month850, year850, ...time850] = rfc850.exec(text) ?? [];
  if (day850 !== undefined) {
    const year = fullYear(Number(year850), now);
    return millisOf({ year, month: month850, day: day850, time: time850 });
  }
  const [, monthC, dayC, hour = "", minute = "", second = "", yearC] = asctime.exec(text) ?? [];
  if (monthC === undefined) return undefined;
  return millisOf({ year: Number(yearC), month: monthC, day: dayC, time: [hour, minute, second] });
}

/** A year of two digits that would be more than 50 years ahead is one of the last century. */
function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear();
  const year = thisYear - thisYear % 100 + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function millisOf({ year, month = "", day, time }: {
  year: number;
  month: string | undefined;
  day: string | undefined;
  time: readonly string[];
}): number | undefined {
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  const monthIndex = months.indexOf(month);
  // A leap second is a date, too: it is taken for the second after it.
  if (monthIndex === -1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const midnight = Date.UTC(year, monthIndex, Number(day));
  if (new Date(midnight).getUTCDate() !== Number(day)) return undefined;
  return midnight + ((hour * 60 + minute) * 60 + second) * 1000;
}
