/** The page at a port of its own, in a browser, and what the script of a stored file can do to it. */
import { assertEquals, assertMatch } from "@std/assert";
import { Machine } from "../e2e/ring_process.ts";
import { pageOrigin, putOverWeb, webOrigin } from "../e2e/web_front.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { drop } from "./drop.ts";
import { WatchedPage } from "./watched_page.ts";

/** Tries all that `answer` awaits, and shows for each its status, or that the browser refused to ask. */
const attack = (page: string) =>
  `<!doctype html><title>under way</title><script>
const tries = [
  ["${page}/stolen", { method: "PUT", body: "x", credentials: "include" }],
  ["${page}/kept.txt", { method: "DELETE", credentials: "include" }],
  ["${page}/_ring/status.json", { credentials: "include" }],
  ["${page}/_ring/logout", { method: "POST", credentials: "include" }],
  ["/_ring/status.json", {}],
  ["/stolen", { method: "PUT", body: "x" }],
  ["/kept.txt", { method: "DELETE" }],
];
const answer = ([url, options]) => fetch(url, options).then(({ status }) => status, () => "refused");
Promise.all(tries.map(answer)).then((answers) => { document.title = answers.join(" "); });
</script>`;

/** Starts two servers with a secret, whose pages have ports of their own. */
async function startRing(machine: Machine) {
  const { stdout: secret } = await machine.run(["secret"]);
  await Deno.writeTextFile(machine.path("ring.secret"), secret, { mode: 0o600 });
  const flags = ["--secret-file", machine.path("ring.secret"), "--ring-http-port", "0"];
  return { secret: secret.trim(), servers: await machine.startRing(2, flags) };
}

Deno.test({
  name: "with --ring-http-port the page works, and no script of a stored file can use its session",
  ...needsBrowser(),
  fn: async () => {
    await using machine = await Machine.create();
    const { secret, servers } = await startRing(machine);
    const [first, second] = servers;
    if (first === undefined || second === undefined) throw new Error("There is no ring");
    const [page, files] = [pageOrigin(first), webOrigin(first)];
    await Deno.writeTextFile(machine.path("kept.txt"), "kept");
    await Deno.writeTextFile(machine.path("evil.html"), attack(page));
    const browser = await launchBrowser();
    try {
      await using watched = await WatchedPage.open(browser, `${page}/_ring/login`);
      await watched.page.getByLabel("The ring's secret").fill(secret);
      await watched.page.getByRole("button", { name: "Log in" }).click();
      await watched.page.waitForURL(`${page}/_ring/`);
      // It hears the other server, at the port of its ring.
      await watched.waitForText("#centre-title", "2 servers");
      await watched.waitForCount(".server .state:has-text('file')", 2);
      await drop(watched.page, [machine.path("kept.txt"), machine.path("evil.html")]);
      await watched.waitForCount("#files-body tr", 2);
      watched.assertOnlyAsked([page, pageOrigin(second)]);

      const opening = watched.page.context().waitForEvent("page");
      await watched.page.click("#files-body a[title='evil.html']");
      const opened = await opening;
      await opened.waitForURL(`${files}/evil.html`);
      await opened.waitForFunction("document.title !== 'under way'");
      assertEquals(await opened.title(), "refused refused refused refused 404 401 401");
      assertEquals(await opened.evaluate("document.cookie"), "");
      assertEquals(await (await fetch(`${files}/kept.txt`)).text(), "kept");

      // The session has outlived it: the page may still write.
      await watched.page.click("#files-body button[aria-label='Delete kept.txt']");
      await watched.page.click("#delete-confirm");
      await watched.waitForCount("#files-body tr", 1);
      watched.assertNoComplaint();
    } finally {
      await browser.close();
    }
  },
});

Deno.test({
  name: "without it, the README's word holds: a stored script can do what its visitor may",
  ...needsBrowser(),
  fn: async () => {
    await using machine = await Machine.create();
    const server = await machine.startServer();
    const origin = webOrigin(server);
    await putOverWeb(server, "kept.txt", new TextEncoder().encode("kept"));
    await putOverWeb(server, "evil.html", new TextEncoder().encode(attack(origin)));
    const browser = await launchBrowser();
    try {
      const opened = await browser.newPage();
      await opened.goto(`${origin}/evil.html`);
      await opened.waitForFunction("document.title !== 'under way'");
      assertMatch(await opened.title(), /^20[14] /);
    } finally {
      await browser.close();
    }
  },
});
