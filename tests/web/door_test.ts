import { assert, assertEquals } from "@std/assert";
import { EventEmitter } from "node:events";
import type { Server } from "node:http";
import { Door } from "../../lib/web/door.ts";
import { eventually } from "../eventually.ts";
import { needs } from "../permission.ts";

const hostname = "127.0.0.1";

/** A server that listens, and accepts nobody: as many as the system lets wait are waiting. */
class DeafServer extends EventEmitter implements Disposable {
  readonly listening = true;
  listened = 0;
  readonly #listener = Deno.listen({ hostname, port: 0, tcpBacklog: 1 });
  readonly #waiting: Deno.TcpConn[] = [];

  static async create(): Promise<DeafServer> {
    const server = new DeafServer();
    const { port } = server.#listener.addr;
    for (let isFull = false; !isFull;) {
      const patience = new AbortController();
      const timer = setTimeout(() => patience.abort(), 300);
      try {
        server.#waiting.push(await Deno.connect({ hostname, port, signal: patience.signal }));
      } catch (error) {
        if (!patience.signal.aborted) throw error;
        isFull = true;
      }
      clearTimeout(timer);
    }
    return server;
  }

  address() {
    return { address: hostname, family: "IPv4", port: this.#listener.addr.port };
  }

  close(): void {}

  listen(): void {
    this.listened++;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#waiting) connection.close();
    this.#listener.close();
  }
}

Deno.test({
  name: "Door listens anew when nobody is accepted, also where none can even wait",
  ...needs("net"),
  fn: async () => {
    using server = await DeafServer.create();
    let shortages = 0;
    const door = new Door({
      server: server as unknown as Server,
      isFull: () => false,
      onShortage: () => shortages++,
      intervalMs: 10,
    });
    await eventually(() => server.listened > 0, { what: "the door to listen anew" });
    await door.close();
    assert(shortages > 0, "nobody was told of the shortage");
  },
});

Deno.test({
  name: "Door.close() does not wait for a connection to itself",
  ...needs("net"),
  fn: async () => {
    using server = await DeafServer.create();
    let isLooking = false;
    const door = new Door({
      server: server as unknown as Server,
      isFull: () => {
        isLooking = true;
        return false;
      },
      onShortage: () => {},
      intervalMs: 1,
    });
    // It connects in the same turn in which it has looked.
    await eventually(() => isLooking, { what: "the door to look" });
    await door.close();
    assertEquals(server.listened, 0);
  },
});
