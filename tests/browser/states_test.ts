/** The page in states that a real ring is seldom in, shown by a fake one. */
import { assert, assertEquals } from "@std/assert";
import { eventually } from "../eventually.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { drop } from "./drop.ts";
import { fakeFile, FakeRing } from "./fake_ring.ts";
import { withScene } from "./scene.ts";
import { WatchedPage } from "./watched_page.ts";

/** Counts, in the page, the travellers there have been, and the most at a time. */
const countTravellers = `
  window.travellers = { all: 0, most: 0 };
  new MutationObserver((records) => {
    const counts = window.travellers;
    for (const { addedNodes } of records) counts.all += addedNodes.length;
    counts.most = Math.max(counts.most, document.querySelectorAll(".traveller").length);
  }).observe(document.querySelector(".travels"), { childList: true });
`;

/** Where the marks stand when nothing moves any more. */
async function settledPlaces(watched: WatchedPage): Promise<readonly string[]> {
  let before: readonly string[] = [];
  while (true) {
    const places = await watched.page.locator(".server").evaluateAll((marks) =>
      marks.map((mark) => mark.getAttribute("transform") ?? "")
    );
    await watched.page.evaluate("new Promise((done) => requestAnimationFrame(done))");
    if (places.length > 0 && places.join() === before.join()) return places;
    before = places;
  }
}

/** The angle of a place in the picture, clockwise from the top. */
function angleOf(transform: string): number {
  const [x = 0, y = 0] = transform.match(/-?[\d.]+/g)?.map(Number) ?? [];
  return (Math.atan2(x, -y) + 2 * Math.PI) % (2 * Math.PI);
}

Deno.test({
  name: "a hop that both its servers tell of is seen once",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 3 }, async (ring, watched) => {
      await watched.page.evaluate(countTravellers);
      ring.tick();
      // Not by waitForFunction(): what that asks more than once, the page's policy forbids.
      await eventually(async () => await watched.page.evaluate("window.travellers.all >= 3"), {
        what: "three hops",
      });
      await watched.waitForCount(".traveller", 0);
      assertEquals(await watched.page.evaluate("window.travellers"), { all: 3, most: 3 });
    }),
});

Deno.test({
  name: "a file is seen to go round one hop at a time, with its name",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 4 }, async (ring, watched) => {
      await watched.page.evaluate(countTravellers);
      ring.put(ring.servers[2]!, "docs/a.html");
      await watched.waitForText(".traveller.forward text", "docs/a.html");
      await watched.waitForText("#journal", "docs/a.html put at 4045: 4 copies");
      await watched.waitForCount(".traveller", 0);
      assertEquals(await watched.page.evaluate("window.travellers"), { all: 4, most: 1 });
      await watched.waitForText("#files-summary", "1 file");
    }),
});

Deno.test({
  name: "twenty servers stand apart on the circle, and one that dies falls into it",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 20 }, async (ring, watched) => {
      assertEquals(new Set(await settledPlaces(watched)).size, 20);
      ring.servers[7]!.status = "dead";
      ring.tellLists();
      await watched.waitForText("#centre-title", "19 servers");
      await watched.waitForText("#journal", "4050 stopped answering; 4049 now checks 4051.");
      const dead = await watched.page.locator(".server.dead").getAttribute("aria-label");
      assert(/^4050 127\.0\.1\.1:4050 stopped \d\d:\d\d$/.test(dead ?? ""), `${dead}`);
      assertEquals(new Set(await settledPlaces(watched)).size, 20);
      assertEquals(await watched.page.locator(".arcs .arc").count(), 19);
    }),
});

Deno.test({
  name: "a newcomer is inserted where the list has it",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 3 }, async (ring, watched) => {
      await ring.add(3, "0000.5", "joining");
      await watched.waitForText("#journal", "4046 joined the ring after 4043");
      await watched.waitForText("#centre-title", "4 servers");
      const places = await settledPlaces(watched);
      const names = await watched.page.locator(".server .short-name").allTextContents();
      const angles = places.map(angleOf);
      const inOrder = names.toSorted((a, b) =>
        (angles[names.indexOf(a)] ?? 0) - (angles[names.indexOf(b)] ?? 0)
      );
      assertEquals(inOrder, ["4043", "4046", "4044", "4045"]);
    }),
});

Deno.test({
  name: "the notice that the server has stopped goes when it is back, though it be alone",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 1 }, async (ring, watched) => {
      const [server] = ring.servers;
      await server!.close();
      await watched.page.waitForSelector("#notice:not([hidden])");
      await watched.waitForText(
        "#notice-text",
        "This server, 127.0.1.1:4043, has stopped answering.",
      );
      // What would ask it is not to be pressed meanwhile.
      await watched.waitForCount("#files[inert]", 1);
      ring.files = [fakeFile("meanwhile.txt", 1, Date.now())];
      await server!.listen();
      await watched.page.waitForSelector("#notice", { state: "hidden" });
      await watched.waitForCount("#files[inert]", 0);
      await watched.waitForText("#files-body .name", "meanwhile.txt");
      watched.forgive(server!.origin);
    }),
});

Deno.test({
  name: "of thousands of files fifty are shown, and any is found",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 1, files: 4321 }, async (_ring, watched) => {
      const { page } = watched;
      await watched.waitForText("#files-summary", "1–50 of 4,321 files");
      await watched.waitForCount("#files-body tr", 50);
      await page.click("#files-next");
      await watched.waitForText("#files-summary", "51–100 of 4,321 files");
      await watched.waitForText("#files-body tr:first-child .name", "photos/00050.jpg");
      await page.fill("#files-search", "04320");
      await watched.waitForText("#files-summary", "1 file");
      await watched.waitForCount("#files-body tr", 1);
      await page.fill("#files-search", "nowhere");
      await watched.waitForText("#files-empty", "No file has “nowhere” in its name.");
    }),
});

Deno.test({
  name: "files are sorted by name, size and time, either way",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 1, files: 300 }, async (ring, watched) => {
      const { page } = watched;
      const first = "#files-body tr:first-child .name";
      await watched.waitForText(first, "photos/00000.jpg");
      await page.click("button[data-sort='name']");
      await watched.waitForText(first, "photos/00299.jpg");
      const largest = ring.files.toSorted((a, b) => b.size - a.size)[0]?.name ?? "";
      await page.click("button[data-sort='size']");
      await watched.waitForText(first, largest);
      await page.click("button[data-sort='modified']");
      await watched.waitForText(first, "photos/00000.jpg");
      assertEquals(await page.locator("th[aria-sort]").count(), 1);
    }),
});

Deno.test({
  name: "a server that has not the same files is marked until it has",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 3, files: 3 }, async (ring, watched) => {
      await watched.waitForCount(".badge.equal", 2);
      ring.servers[2]!.digest = "e".repeat(64);
      for (let told = 0; told < 5; told++) ring.tick();
      await watched.waitForCount(".badge.differs", 1);
      await watched.waitForText("#centre-text", "not yet on all");
      ring.servers[2]!.digest = ring.servers[0]!.digest;
      ring.tick();
      await watched.waitForCount(".badge.equal", 2);
      await watched.waitForText("#centre-text", "the same on all");
    }),
});

Deno.test({
  name: "whoever wants nothing to move sees the ways light up instead",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 3, reducedMotion: "reduce" }, async (ring, watched) => {
      await watched.page.evaluate(`
        window.places = new Set();
        new MutationObserver((records) => {
          for (const { target } of records) window.places.add(target.getAttribute("transform"));
        }).observe(document.querySelector(".travels"), {
          attributes: true, attributeFilter: ["transform"], subtree: true,
        });
      `);
      ring.tick();
      await watched.waitForCount(".traveller", 3);
      await watched.waitForCount(".traveller", 0);
      const places = await watched.page.evaluate("window.places.size");
      assert(typeof places === "number" && places <= 3, `${places} places of three travellers`);
    }),
});

Deno.test({
  name: "an upload that is refused says why, in the server's words",
  ...needsBrowser(),
  fn: async () => {
    const file = await Deno.makeTempFile({ suffix: ".txt" });
    try {
      await Deno.writeTextFile(file, "too much");
      await using ring = await FakeRing.create(1);
      const browser = await launchBrowser();
      try {
        await using watched = await WatchedPage.open(browser, `${ring.servers[0]?.origin}/_ring/`);
        await drop(watched.page, [file]);
        await watched.waitForText("#uploads-list .failed", "There is no room on this disk");
        await watched.page.click("#uploads-list .dismiss");
        await watched.page.waitForSelector("#uploads", { state: "hidden" });
      } finally {
        await browser.close();
      }
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test({
  name: "the theme is the system's until one is chosen, which is kept",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 1 }, async (_ring, { page }) => {
      const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
      const light = await background();
      await page.emulateMedia({ colorScheme: "dark" });
      const dark = await background();
      assert(light !== dark);
      await page.click("#theme");
      assertEquals(await background(), light);
      await page.reload();
      await page.waitForSelector(".server");
      assertEquals(await background(), light);
    }),
});

Deno.test({
  name: "a name that looks like HTML is shown as it is",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 2 }, async (ring, watched) => {
      const name = "<img src=x onerror=alert(1)>.txt";
      ring.put(ring.servers[0]!, name);
      await watched.waitForText("#files-body .name", name);
      await watched.waitForText("#journal", name);
      assertEquals(await watched.page.locator("img").count(), 0);
    }),
});

Deno.test({
  name: "the keyboard reaches the servers, and the one it is at is told of in the middle",
  ...needsBrowser(),
  fn: () =>
    withScene({ servers: 3 }, async (_ring, watched) => {
      const { page } = watched;
      await page.focus("#theme");
      await page.keyboard.press("Tab");
      await watched.waitForText("#centre-title", "127.0.1.1:4043");
      await page.keyboard.press("Tab");
      await watched.waitForText("#centre-title", "127.0.1.1:4044");
      await page.focus("#files-search");
      await watched.waitForText("#centre-title", "3 servers");
    }),
});
