/**
 * `deno task screenshot`: makes `tests/browser/page.png`, the picture in the README, of a real ring: four
 * servers, one of which is killed, and a file on its way round the others.
 */
import { Machine, type ServerProcess, waitForRing } from "../e2e/ring_process.ts";
import { webOrigin } from "../e2e/web_front.ts";
import { launchBrowser, needsBrowser } from "./browser.ts";
import { WatchedPage } from "./watched_page.ts";

const output = new URL("page.png", import.meta.url);
const exampleFiles = new URL("../../test_files", import.meta.url);

/** Where the servers listen. */
const ip = "127.0.1.1";

/** Pictures are twice as fine as they are shown. */
const scale = 2;
const viewport = { width: 1280, height: 800 };

/** How long there is traffic before one server is killed, and after, in seconds. */
const secondsBefore = 60;
const secondsAfter = 20;

/** How many requests there are in the busiest second. */
const requestsMax = 60;

/** Waits, in the page, until a file is well under way, and lets nothing move from then on: a picture takes time. */
const holdBetweenServers = `new Promise((done) => {
  const look = () => {
    const name = document.querySelector('.traveller.forward text[opacity="1"]');
    if (name === null) return requestAnimationFrame(look);
    setTimeout(() => {
      window.requestAnimationFrame = () => 0;
      done();
    }, 250);
  };
  look();
})`;

/** Some traffic for the plots, for so many seconds: more and less of it by turns. */
async function read(origins: readonly string[], seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const count = Math.round(requestsMax * (0.55 + 0.45 * Math.sin(second / 4)));
    const urls = Array.from(
      { length: count },
      (_, index) => `${origins[index % origins.length]}/index.html`,
    );
    await Promise.all([...urls.map(fetchAll), nextSecond()]);
    if (second % 19 === 11) await put(`${origins[1]}/notes/${second}.txt`);
  }
}

async function fetchAll(url: string): Promise<void> {
  await (await fetch(url)).arrayBuffer();
}

async function put(url: string): Promise<void> {
  await (await fetch(url, { method: "PUT", body: "A note.\n" })).arrayBuffer();
}

function nextSecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000));
}

/** Starts four servers where the README starts them. */
async function startRing(machine: Machine): Promise<readonly ServerProcess[]> {
  const servers = [await machine.startServer([], { ip })];
  while (servers.length < 4) {
    const previous = ["--prev-ip", ip, "--prev-port", `${servers.at(-1)?.port}`];
    servers.push(await machine.startServer(previous, { ip }));
  }
  await waitForRing(servers);
  return servers;
}

async function takePicture(): Promise<void> {
  await using machine = await Machine.create();
  const servers = await startRing(machine);
  const origins = servers.map(webOrigin);
  const [first, second, third] = servers;
  if (first === undefined || second === undefined || third === undefined) return;
  const browser = await launchBrowser();
  try {
    await using watched = await WatchedPage.open(browser, `${origins[0]}/_ring/`, {
      viewport,
      deviceScaleFactor: scale,
    });
    await watched.waitForText("#centre-title", "4 servers");
    await first.runClient(["--put", `${exampleFiles.pathname}/`]);
    await read(origins, secondsBefore);
    await third.stop("SIGKILL");
    await watched.waitForText("#centre-title", "3 servers");
    await read(origins.filter((_, index) => index !== 2), secondsAfter);
    await watched.waitForCount(".traveller.forward", 0);
    await put(`${origins[3]}/news.html`);
    await watched.page.evaluate(holdBetweenServers);
    await watched.page.screenshot({ path: output.pathname });
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  if (needsBrowser().ignore) Deno.exit(1);
  await takePicture();
}
