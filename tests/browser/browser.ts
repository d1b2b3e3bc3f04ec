/** A real browser, for tests of the page: Chromium as Debian packages it. */
import type { Browser, BrowserType } from "playwright-core";
import { needs } from "../permission.ts";

/** Where Debian puts it. */
const executablePath = "/usr/bin/chromium";

const windowsLookVariable = "__IS_WSL_TEST__";

/** It asks nobody for anything that the page does not ask for. */
const args = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** For the definition of a test: ignores it, and says why, where there is no browser. */
export function needsBrowser(): { ignore: boolean } {
  const { ignore } = needs("read", "write", "net", "env", "run", "sys");
  if (ignore || hasChromium()) return { ignore };
  console.info(
    `Tests of the page are ignored: they need ${executablePath} (apt install chromium).`,
  );
  return { ignore: true };
}

/**
 * Starts the browser, with a profile of its own that is removed when it is closed. It finds the hosts of
 * `names` at the addresses that are told of them.
 */
export async function launchBrowser(
  names: Readonly<Record<string, string>> = {},
): Promise<Browser> {
  const chromium = await importChromium();
  const rules = Object.entries(names).map(([name, ip]) => `MAP ${name} ${ip}`);
  return await chromium.launch({
    executablePath,
    args: [...args, `--host-resolver-rules=${rules.join()}`],
  });
}

/**
 * Playwright looks in `/proc/sys` for Windows as soon as it is imported, for which Deno would want every
 * permission; this variable puts that off until it is needed, which it never is. It stays set, as
 * tests that run at the same time share the environment, and may be importing.
 */
async function importChromium(): Promise<BrowserType> {
  Deno.env.set(windowsLookVariable, "1");
  return (await import("playwright-core")).chromium;
}

function hasChromium(): boolean {
  try {
    return Deno.statSync(executablePath).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
