/** What the page does when there is much, when it is not seen, and when it was opened elsewhere. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { basename } from "node:path";
import { eventually } from "../eventually.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { FakeRing } from "./fake_ring.ts";
import { withScene } from "./scene.ts";
import { WatchedPage } from "./watched_page.ts";

/** After how long of not being seen the page hears nothing more, in milliseconds. */
const hiddenMs = 30_000;

Deno.test({
  name: "a file that was put is counted at once where it was stored",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 2 }, async (ring, watched) => {
      await watched.waitForCount(".server .state:has-text('0 files')", 2);
      // No numbers are told after it.
      ring.put(ring.servers[0]!, "a.html");
      await watched.waitForCount(".server .state:has-text('1 file')", 2);
    }),
});

Deno.test({
  name: "of more files than the page keeps the first are shown, and the others are found",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 1, files: 20_050 }, async (_ring, watched) => {
      const { page } = watched;
      const summary = "1–50 of the first 20,000 files; search for the others";
      await watched.waitForText("#files-summary", summary);
      await page.fill("#files-search", "photos/20049");
      await watched.waitForText("#files-body tr:first-child .name", "photos/20049.jpg");
      await watched.waitForText("#files-summary", "1 file");
      await page.fill("#files-search", "photos/x");
      const none = "No file has a name that begins with “photos/x”.";
      await watched.waitForText("#files-empty", none);
      await page.fill("#files-search", "");
      await watched.waitForText("#files-summary", summary);
    }),
});

Deno.test({
  name:
    "opened where no server of the ring is, the page hears one server, and says where all are heard",
  ...needsBrowser(),
  fn: async () => {
    await using ring = await FakeRing.create(3);
    const [first] = ring.servers;
    assert(first);
    const foreign = first.origin.replace("127.0.0.1", "localhost");
    const browser = await launchBrowser();
    try {
      await using watched = await WatchedPage.open(browser, `${foreign}/_ring/`);
      await watched.waitForText("#elsewhere", `${first.origin}/_ring/`);
      await watched.waitForText("#centre-title", "3 servers");
      ring.put(first, "a.html");
      await watched.waitForText("#files-body .name", "a.html");
      watched.assertOnlyAsked([foreign]);
      watched.assertNoComplaint();
      await watched.page.click("#elsewhere-link");
      await watched.page.waitForURL(`${first.origin}/_ring/`);
      await watched.waitForText("#centre-title", "3 servers");
      assertEquals(await watched.page.isVisible("#elsewhere"), false);
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name:
    "a page that nobody sees hears nothing for a while, and has caught up when it is seen again",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 3 }, async (ring, watched) => {
      const { page } = watched;
      const see = (hidden: boolean) =>
        page.evaluate(
          `Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));`,
        );
      await page.clock.install();
      await see(true);
      await page.clock.fastForward(hiddenMs);
      for (const server of ring.servers) await server.waitForListeners(0);
      for (let count = 0; count < 300; count++) ring.put(ring.servers[0]!, `file-${count}`);
      assertEquals(await page.locator(".traveller").count(), 0);
      await page.clock.resume();
      await see(false);
      await watched.waitForText("#files-summary", "1–50 of 300 files");
      await watched.waitForCount(".server .state:has-text('300 files')", 3);
      assertEquals(await page.locator(".traveller").count(), 0);
    }),
});

Deno.test({
  name: "the progress of an upload is shown while it is under way",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 1 }, async (ring, { page }) => {
      const { promise: gate, resolve: open } = Promise.withResolvers<void>();
      const size = 40 * 1024 * 1024;
      Object.assign(ring, { gate, bytesBeforeGate: size / 2, hasRoom: true });
      const path = await Deno.makeTempFile({ suffix: ".bin" });
      try {
        await Deno.truncate(path, size);
        await page.setInputFiles("#choose-files-input", [path]);
        const bar = page.getByLabel(`Progress of ${basename(path)}`);
        // What the server reads, and what the system takes on its way there.
        const value = () => bar.evaluate((element) => Number(element.getAttribute("value")));
        await eventually(async () => await value() >= 0.5, { what: "the progress" });
        assert(await value() < 1);
        assertMatch(await page.textContent("#uploads-list .result") ?? "", /^[5-9][0-9] %$/);
        assertEquals(await page.textContent("#uploads-summary"), "1 file to go");
        open();
        await page.waitForSelector("#uploads-list .stored >> text=1 copy");
      } finally {
        await Deno.remove(path);
      }
    }),
});
