import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { RingEvent } from "../../lib/web/activity.ts";
import { listenersMax } from "../../lib/web/event_stream.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";
import { Client } from "../server/crowd.ts";
import { encodeRequest, HttpConnection } from "./exchange.ts";
import { type OpenSite, openSite } from "./open_site.ts";

const note: RingEvent = { type: "note", level: "info", text: "Something\nhappened" };

/** Only Linux has all of 127.0.0.0/8 on loopback. */
const crowd = { ignore: needs("net").ignore || Deno.build.os !== "linux" };

/** Someone who listens, and what was told. */
class Listener implements Disposable {
  text = "";
  isEnded = false;
  readonly #connection: HttpConnection;

  private constructor(connection: HttpConnection) {
    this.#connection = connection;
  }

  static async open(site: OpenSite): Promise<Listener> {
    const connection = await site.connect();
    await connection.send(encodeRequest({ target: "/_ring/events" }));
    const { status, fields } = await connection.receiveHead();
    assertEquals(status, 200);
    assertEquals(fields.find(([name]) => name === "content-type")?.[1], "text/event-stream");
    const listener = new Listener(connection);
    listener.#read().catch((error: unknown) => {
      // The listener itself has gone.
      if (!(error instanceof Deno.errors.Interrupted)) throw error;
    });
    return listener;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for (
      let bytes = await this.#connection.read();
      bytes !== undefined;
      bytes = await this.#connection.read()
    ) this.text += decoder.decode(bytes);
    this.isEnded = true;
  }
}

Deno.test({
  name: "a listener is told the list first, then what happens, and numbers every second",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({}, { a: "1" });
    using listener = await Listener.open(site);
    await eventually(() => listener.text.includes("event: list"), { what: "the list" });
    assertMatch(listener.text, /event: list\ndata: \{"type":"list","members":\[\]\}\n\n/);
    site.backend.activity.note(note);
    site.backend.put("b", "2");
    await eventually(() => /event: file\n/.test(listener.text), { what: "the file" });
    assert(listener.text.includes(`event: note\ndata: ${JSON.stringify(note)}\n\n`));
    await site.ask({ method: "PUT", target: "/c", body: "3" });
    const numbers = await eventually(
      () => [...listener.text.matchAll(/event: numbers\ndata: (.*)\n\n/g)].at(-1)?.[1],
      { what: "numbers" },
    );
    const told = JSON.parse(numbers);
    assertEquals([told.requests, told.puts, told.gets, told.files], [1, 1, 0, 3]);
    assertEquals(told.digest, site.backend.status().digest);
    assertEquals([typeof told.latencyMs.p50, typeof told.latencyMs.p99], ["number", "number"]);
  },
});

Deno.test({
  name: "a server that stops ends the streams of its listeners at once",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    using listener = await Listener.open(site);
    site.backend.isStopping = true;
    site.backend.activity.note(note);
    await eventually(() => listener.isEnded || listener.text.includes("0\r\n\r\n"), {
      what: "the end",
      withinMs: 900,
    });
    assert(listener.text.includes("event: note"));
    assertEquals((await site.ask("/_ring/events")).status, 503);
  },
});

Deno.test({
  name: "no more than so many may listen, and who goes makes room",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite({ listenersPerAddressMax: 0 });
    const listeners: Listener[] = [];
    for (let i = 0; i < listenersMax; i++) listeners.push(await Listener.open(site));
    const refused = await site.ask("/_ring/events");
    assertEquals(refused.status, 503);
    assertStringIncludes(refused.text, "64 listen already, and no more can");
    for (const listener of listeners) listener[Symbol.dispose]();
    await eventually(async () => {
      using connection = await site.connect();
      await connection.send(encodeRequest({ target: "/_ring/events" }));
      return (await connection.receiveHead()).status === 200;
    }, { what: "room for one more" });
  },
});

Deno.test({
  name: "one address may have half of all listeners, and leaves the rest to others",
  ...crowd,
  fn: async () => {
    await using site = await openSite();
    const listeners: Listener[] = [];
    for (let i = 0; i < listenersMax / 2; i++) listeners.push(await Listener.open(site));
    const refused = await site.ask("/_ring/events");
    assertEquals(refused.status, 503);
    assertStringIncludes(refused.text, "As many listen already from one address as can");
    using other = await Client.connect(`127.0.0.1:${site.port}`, "127.0.0.7");
    const answer = await other.ask(encodeRequest({ target: "/_ring/events" }));
    assertMatch(new TextDecoder().decode(answer), /^HTTP\/1\.1 200 /);
    for (const listener of listeners) listener[Symbol.dispose]();
  },
});

Deno.test({
  name: "a listener that does not read is dropped, and the others are told all",
  ...needs("net"),
  fn: async () => {
    await using site = await openSite();
    using deaf = await site.connect();
    await deaf.send(encodeRequest({ target: "/_ring/events" }));
    using listener = await Listener.open(site);
    const text = "x".repeat(50_000);
    let told = 0;
    await eventually(() => {
      for (let i = 0; i < 4; i++, told++) site.backend.activity.note({ ...note, text });
      return site.backend.activity.traffic.connections === 1;
    }, { what: "the deaf listener to be dropped" });
    await eventually(() => listener.text.split("event: note").length - 1 === told, {
      what: "all notes",
    });
  },
});
