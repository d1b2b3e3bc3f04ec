/** The page over HTTPS: it listens at every server, within its own policy, and nothing is mixed content. */
import { Machine } from "../e2e/ring_process.ts";
import { webOrigin } from "../e2e/web_front.ts";
import { Authority, needsOpenssl } from "../tls/authority.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { drop } from "./drop.ts";
import { WatchedPage } from "./watched_page.ts";

Deno.test({
  name: "over HTTPS the page hears every server, and puts a file on all",
  ignore: needsBrowser().ignore || needsOpenssl.ignore,
  fn: async () => {
    await using authority = await Authority.create();
    await using machine = await Machine.create();
    await authority.issue("a", { hosts: [`IP:${machine.ip}`] });
    const servers = await machine.startRing(3, [
      ...["--tls-cert", authority.path("a.pem"), "--tls-key", authority.path("a.key")],
      ...["--tls-ca", authority.path("ca.pem")],
    ]);
    const origins = servers.map(webOrigin);
    const browser = await launchBrowser();
    try {
      // As if the authority had been imported.
      await using watched = await WatchedPage.open(browser, `${origins[0]}/_ring/`, {
        ignoreHTTPSErrors: true,
      });
      await watched.waitForText("#centre-title", "3 servers");
      await watched.waitForCount(".server .state:has-text('file')", 3);
      await Deno.writeTextFile(machine.path("a.txt"), "dropped");
      await drop(watched.page, [machine.path("a.txt")]);
      await watched.waitForText("#journal", "a.txt put at 4043: 3 copies");
      await servers[1]?.stop("SIGKILL");
      await watched.waitForText("#centre-title", "2 servers");
      watched.assertOnlyAsked(origins);
    } finally {
      await browser.close();
    }
  },
});
