/**
 * A page under watch: whatever it writes to the console, and whom it asks for what, is kept, so that a
 * test can say that there was nothing wrong.
 */
import { assertEquals } from "@std/assert";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { eventually } from "../eventually.ts";

/** How long the page may take for anything, in milliseconds: browsers starve first where much runs at once. */
const withinMs = 60_000;

/** Waits, in the page, until whatever does not go on for ever has come to its end. */
const waitForAnimations = `Promise.allSettled(document.getAnimations()
  .filter((animation) => animation.effect.getComputedTiming().endTime < Infinity)
  .map((animation) => animation.finished))`;

/** A violation that axe-core reports, as far as a test wants to read it. */
interface Violation {
  readonly id: string;
  readonly impact?: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** A page in a browser profile of its own. */
export class WatchedPage implements AsyncDisposable {
  readonly #complaints: { readonly text: string; readonly url: string }[] = [];
  readonly #killed: string[] = [];
  readonly #requested = new Set<string>();

  private constructor(
    /** Playwright's page. */
    readonly page: Page,
  ) {
    page.setDefaultTimeout(withinMs);
    page.on("console", (message) => {
      const isComplaint = message.type() === "error" || message.type() === "warning";
      if (isComplaint) this.#complain(message.text(), message.location().url);
    });
    page.on("pageerror", (error) => this.#complain(String(error.stack), page.url()));
    page.on("request", (request) => {
      if (!request.url().startsWith("data:")) this.#requested.add(new URL(request.url()).origin);
    });
  }

  /** Opens a page at a server. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
  ): Promise<WatchedPage> {
    const context = await browser.newContext(options);
    const watched = new WatchedPage(await context.newPage());
    await watched.page.goto(url);
    return watched;
  }

  /** The origins of all that the page has asked for. */
  get origins(): readonly string[] {
    return [...this.#requested].sort();
  }

  /**
   * Waits until an element has a text, or one in which that occurs.
   *
   * @throws {Error} if it does not in time; what the page shows is in the message.
   */
  async waitForText(selector: string, text: string): Promise<void> {
    await this.#waitFor(
      `"${text}" in ${selector}`,
      async () => (await this.page.textContent(selector))?.includes(text) === true,
    );
  }

  /** Waits until there are so many elements. */
  async waitForCount(selector: string, count: number): Promise<void> {
    await this.#waitFor(
      `${count} of ${selector}`,
      async () => await this.page.locator(selector).count() === count,
    );
  }

  /** Says that a server was killed: that requests to it have failed is no complaint. */
  forgive(origin: string): void {
    this.#killed.push(origin);
  }

  /** Asserts that the console is empty, but for failed requests to servers that were killed. */
  assertNoComplaint(): void {
    const rest = this.#complaints.filter(({ url, text }) =>
      !(text.startsWith("Failed to load resource: net::") &&
        this.#killed.some((origin) => url.startsWith(origin)))
    );
    assertEquals(rest, []);
  }

  /** Asserts that nobody but these was asked for anything. */
  assertOnlyAsked(origins: readonly string[]): void {
    assertEquals(this.origins.filter((origin) => !origins.includes(origin)), []);
  }

  /** Asserts that axe-core finds nothing that shuts anybody out. */
  async assertAccessible(): Promise<void> {
    // What is still fading in is paler than it will be.
    await this.page.evaluate(waitForAnimations);
    // It wants to know its environment as soon as it is imported: only where that may be known.
    const { default: axe } = await import("axe-core");
    // Not by a script element: the page takes none that is not its own.
    await this.page.evaluate(axe.source);
    const violations = await this.page.evaluate("axe.run().then((result) => result.violations)");
    const found = (violations as Violation[]).map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
    }));
    assertEquals(found, []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }

  async #waitFor(what: string, probe: () => Promise<boolean>): Promise<void> {
    try {
      await eventually(probe, { what, withinMs });
    } catch (cause) {
      const text = await this.page.innerText("body");
      throw new Error(`Waited for ${what} in vain. The page says:\n${text}`, { cause });
    }
  }

  #complain(text: string, url: string): void {
    this.#complaints.push({ text, url });
  }
}
