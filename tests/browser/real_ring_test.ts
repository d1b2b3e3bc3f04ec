/** The page and real servers: what happens to the ring is seen, and what is done on the page happens. */
import { assertEquals } from "@std/assert";
import type { Browser } from "playwright-core";
import { Machine, type ServerProcess } from "../e2e/ring_process.ts";
import { webOrigin } from "../e2e/web_front.ts";
import { eventually } from "../eventually.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { drop } from "./drop.ts";
import { WatchedPage } from "./watched_page.ts";

/** Three servers, the origins of their web fronts, and a page at the first. */
interface Scene {
  readonly machine: Machine;
  readonly servers: readonly ServerProcess[];
  readonly origins: readonly string[];
  readonly watched: WatchedPage;
}

async function withScene(act: (scene: Scene) => Promise<void>): Promise<void> {
  await using machine = await Machine.create();
  const servers = await machine.startRing(3);
  const origins = servers.map(webOrigin);
  const browser = await launchBrowser();
  try {
    await using watched = await openPage(browser, origins);
    await act({ machine, servers, origins, watched });
  } finally {
    await browser.close();
  }
}

/** Opens the page at the first server, and waits until it hears all. */
async function openPage(browser: Browser, origins: readonly string[]): Promise<WatchedPage> {
  const watched = await WatchedPage.open(browser, `${origins[0]}/_ring/`, {
    viewport: { width: 1280, height: 800 },
    reducedMotion: "no-preference",
  });
  await waitForCentre(watched, `${origins.length} servers`);
  await watched.waitForCount(".server .state:has-text('file')", origins.length);
  return watched;
}

function waitForCentre(watched: WatchedPage, text: string): Promise<void> {
  return watched.waitForText("#centre-title", text);
}

function waitForJournal(watched: WatchedPage, text: string): Promise<void> {
  return watched.waitForText("#journal", text);
}

/** Waits until a server answers a GET with this, or, for `undefined`, that there is no such file. */
async function waitForFile(url: string, body: string | undefined): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(url);
    const text = await answer.text();
    return body === undefined ? answer.status === 404 : answer.ok && text === body;
  }, { what: `${url} to be ${body}` });
}

Deno.test({
  name: "a file dropped on the page is on every server, and is gone from all when it is deleted",
  ...needsBrowser(),
  fn: () =>
    withScene(async ({ machine, origins, watched }) => {
      const { page } = watched;
      await Deno.writeTextFile(machine.path("a file.txt"), "dropped");
      await drop(page, [machine.path("a file.txt")]);
      for (const origin of origins) await waitForFile(`${origin}/a%20file.txt`, "dropped");
      await waitForJournal(watched, "a file.txt put at 4043: 3 copies");
      await page.waitForSelector("#uploads-list .stored >> text=3 copies");
      await page.waitForSelector("tr[data-name='a file.txt']");

      await page.click("button[aria-label='Delete a file.txt']");
      await page.click("#delete-cancel");
      await waitForFile(`${origins[1]}/a%20file.txt`, "dropped");
      await page.click("button[aria-label='Delete a file.txt']");
      await page.click("#delete-confirm");
      for (const origin of origins) await waitForFile(`${origin}/a%20file.txt`, undefined);
      await page.waitForSelector("tr[data-name='a file.txt']", { state: "detached" });
      await waitForJournal(watched, "a file.txt deleted at 4043: 3 servers");
      watched.assertNoComplaint();
      watched.assertOnlyAsked(origins);
    }),
});

Deno.test({
  name: "a folder dropped on the page is put as `ring client --put folder/` puts it",
  ...needsBrowser(),
  fn: () =>
    withScene(async ({ machine, origins, watched }) => {
      await Deno.mkdir(machine.path("site", "css"), { recursive: true });
      await Deno.writeTextFile(machine.path("site", "page.html"), "<h1>page</h1>");
      await Deno.writeTextFile(machine.path("site", "css", "site.css"), "body{}");
      await drop(watched.page, [machine.path("site")]);
      await waitForFile(`${origins[2]}/page.html`, "<h1>page</h1>");
      await waitForFile(`${origins[2]}/css/site.css`, "body{}");
      await watched.waitForText("#files-summary", "2 files");
      watched.assertNoComplaint();
    }),
});

Deno.test({
  name: "a folder chosen on the page is put as one that is dropped",
  ...needsBrowser(),
  fn: () =>
    withScene(async ({ machine, origins, watched }) => {
      await Deno.mkdir(machine.path("site", "css"), { recursive: true });
      await Deno.writeTextFile(machine.path("site", "css", "site.css"), "body{}");
      await watched.page.setInputFiles("#choose-folder-input", machine.path("site"));
      await waitForFile(`${origins[2]}/css/site.css`, "body{}");
      await watched.waitForText("#files-summary", "1 file");
      watched.assertNoComplaint();
    }),
});

Deno.test({
  name: "the circle closes over a server that is killed, and opens for it when it returns",
  ...needsBrowser(),
  fn: () =>
    withScene(async ({ machine, servers, origins, watched }) => {
      const { page } = watched;
      const [, second] = servers;
      const { port } = second!;
      await page.waitForSelector(".traveller.check", { state: "attached" });
      watched.forgive(origins[1]!);
      await second!.stop("SIGKILL");
      await waitForCentre(watched, "2 servers");
      await waitForJournal(watched, `${port} stopped answering; `);
      await page.waitForSelector(`.server.dead >> text=${port}`);

      const data = machine.path("ring-data", `${port}`);
      assertEquals((await Deno.stat(data)).isDirectory, true);
      await machine.startServer(["--port", `${port}`]);
      await waitForCentre(watched, "3 servers");
      await page.waitForSelector(".server.dead", { state: "detached" });
      await waitForJournal(watched, `${port} is back`);
      watched.assertNoComplaint();
      watched.assertOnlyAsked(origins);
    }),
});

Deno.test({
  name: "when the page's own server is killed the page says so, and shows what the others tell",
  ...needsBrowser(),
  fn: () =>
    withScene(async ({ servers, origins, watched }) => {
      const { page } = watched;
      watched.forgive(origins[0]!);
      await servers[0]!.stop("SIGKILL");
      await page.waitForSelector("#notice:not([hidden])");
      const links = await page.locator("#notice-links a").evaluateAll((all) =>
        all.map((link) => link.getAttribute("href"))
      );
      assertEquals([...links].sort(), origins.slice(1).map((origin) => `${origin}/_ring/`).sort());
      await waitForCentre(watched, "2 servers");
      const answer = await fetch(`${origins[1]}/later.txt`, { method: "PUT", body: "later" });
      await answer.body?.cancel();
      await waitForJournal(watched, "later.txt put at ");
      watched.assertNoComplaint();
    }),
});

Deno.test({
  name: "the page shuts nobody out and fits a narrow screen, in light and in dark",
  ...needsBrowser(),
  fn: () =>
    withScene(async ({ origins, watched }) => {
      const { page } = watched;
      const answer = await fetch(`${origins[1]}/docs/a.html`, { method: "PUT", body: "a" });
      await answer.body?.cancel();
      await page.waitForSelector("tr[data-name='docs/a.html']");
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        for (const [width, height] of [[1280, 800], [390, 844]] as const) {
          await page.setViewportSize({ width, height });
          await watched.assertAccessible();
          const widest = await page.evaluate("document.documentElement.scrollWidth");
          assertEquals(widest, width);
        }
        await page.click("button[aria-label='Delete docs/a.html']");
        await watched.assertAccessible();
        await page.keyboard.press("Escape");
      }
      watched.assertNoComplaint();
    }),
});
