/** Logging in to the page of a ring with a secret, in a browser. */
import { assertEquals } from "@std/assert";
import { Machine } from "../e2e/ring_process.ts";
import { webOrigin } from "../e2e/web_front.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { drop } from "./drop.ts";
import { WatchedPage } from "./watched_page.ts";

Deno.test({
  name: "who drops a file without having logged in gets the form, and may put it after that",
  ...needsBrowser(),
  fn: async () => {
    await using machine = await Machine.create();
    const { stdout: secret } = await machine.run(["secret"]);
    await Deno.writeTextFile(machine.path("ring.secret"), secret, { mode: 0o600 });
    await Deno.writeTextFile(machine.path("a.html"), "<h1>a</h1>");
    const server = await machine.startServer(["--secret-file", machine.path("ring.secret")]);
    const origin = webOrigin(server);
    const browser = await launchBrowser();
    try {
      await using watched = await WatchedPage.open(browser, `${origin}/_ring/`);
      const { page } = watched;
      await watched.waitForText("#centre-title", "1 server");
      await drop(page, [machine.path("a.html")]);
      await page.waitForURL(`${origin}/_ring/login`);
      await watched.assertAccessible();
      await page.getByLabel("The ring's secret").fill("a guess that is wrong");
      await page.getByRole("button", { name: "Log in" }).click();
      await watched.waitForText("[role=alert]", "That is not the ring's secret.");
      await page.getByLabel("The ring's secret").fill(secret.trim());
      await page.getByRole("button", { name: "Log in" }).click();
      await page.waitForURL(`${origin}/_ring/`);
      await watched.waitForText("#centre-title", "1 server");
      await drop(page, [machine.path("a.html")]);
      await watched.waitForText("#files-body .name", "a.html");
      assertEquals(await (await fetch(`${origin}/a.html`)).text(), "<h1>a</h1>");
      await page.click("#files-body button[aria-label^='Delete']");
      await page.click("#delete-confirm");
      await watched.waitForText("#files-empty", "No files yet");
      assertEquals(await page.evaluate("document.cookie"), "", "scripts do not get the session");
      watched.assertOnlyAsked([origin]);
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name: "the page of a private ring hears all its servers, at whatever name it was opened",
  ...needsBrowser(),
  fn: async () => {
    await using machine = await Machine.create();
    const { stdout: secret } = await machine.run(["secret"]);
    await Deno.writeTextFile(machine.path("ring.secret"), secret, { mode: 0o600 });
    const flags = ["--private", "--secret-file", machine.path("ring.secret")];
    const servers = await machine.startRing(2, flags);
    const [first, second] = servers.map(webOrigin);
    const named = `http://ring.test:${new URL(first ?? "").port}`;
    const browser = await launchBrowser({ "ring.test": machine.ip });
    try {
      await using watched = await WatchedPage.open(browser, `${named}/_ring/`);
      const { page } = watched;
      await page.waitForURL(`${named}/_ring/login`);
      await page.getByLabel("The ring's secret").fill(secret.trim());
      await page.getByRole("button", { name: "Log in" }).click();
      await page.waitForURL(`${named}/_ring/`);
      await watched.waitForCount(".server .state:has-text('file')", 2);
      await watched.waitForCount("#elsewhere[hidden]", 1);
      watched.assertOnlyAsked([named, second ?? ""]);
      watched.assertNoComplaint();

      await page.goto(`${named}/_ring/login`);
      await watched.assertAccessible();
      await page.getByRole("button", { name: "Log out" }).click();
      await page.waitForURL(`${named}/_ring/login`);
      await page.waitForSelector("#secret");
    } finally {
      await browser.close();
    }
  },
});
