import { assertEquals } from "@std/assert";
import { RecentSeconds } from "../../lib/web/recent_seconds.ts";

Deno.test("RecentSeconds has the quantiles of the last whole second", () => {
  const recent = new RecentSeconds();
  for (let i = 100; i >= 1; i--) recent.add(i, 5000 + i);
  assertEquals(recent.quantiles([0.5, 0.99], 5999), [0, 0]);
  assertEquals(recent.quantiles([0.01, 0.5, 0.99, 1], 6000), [1, 50, 99, 100]);
  recent.add(7, 6999);
  assertEquals(recent.quantiles([0.5], 7000), [7]);
});

Deno.test("RecentSeconds forgets what is older than a second, and has nothing to say", () => {
  const recent = new RecentSeconds();
  recent.add(1, 5000);
  assertEquals(recent.quantiles([0.5], 7000), [0]);
});

Deno.test("RecentSeconds keeps a fair sample of a second with very many measurements", () => {
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const recent = new RecentSeconds(random);
  for (let i = 0; i < 100_000; i++) recent.add(i, 5000);
  const [median = 0] = recent.quantiles([0.5], 6000);
  assertEquals(Math.abs(median - 50_000) < 5000, true, `${median}`);
});
