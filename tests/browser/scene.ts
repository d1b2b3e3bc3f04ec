/** A scene: a fake ring, and its page in a browser. */
import { launchBrowser } from "./browser.ts";
import { fakeFile, FakeRing } from "./fake_ring.ts";
import { WatchedPage } from "./watched_page.ts";

/** What a scene begins with. */
export interface SceneOptions {
  readonly servers: number;
  readonly files?: number;
  readonly reducedMotion?: "reduce";
}

/** Opens the page at the first server, and ends with nothing to complain of in the console. */
export async function withScene(
  { servers, files = 0, reducedMotion }: SceneOptions,
  act: (ring: FakeRing, watched: WatchedPage) => Promise<void>,
): Promise<void> {
  await using ring = await FakeRing.create(servers);
  const now = Date.now();
  ring.files = Array.from({ length: files }, (_, index) =>
    fakeFile(
      `photos/${`${index}`.padStart(5, "0")}.jpg`,
      (index * 7919) % 100_003,
      now - 1000 * index,
    ));
  const browser = await launchBrowser();
  try {
    await using watched = await WatchedPage.open(
      browser,
      `${ring.servers[0]?.origin}/_ring/`,
      reducedMotion === undefined ? {} : { reducedMotion },
    );
    await watched.waitForCount(".server .state:has-text('file')", servers);
    await act(ring, watched);
    watched.assertNoComplaint();
  } finally {
    await browser.close();
  }
}
