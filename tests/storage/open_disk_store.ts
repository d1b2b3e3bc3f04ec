/** Opens a store on disk with all that a test needs to harm it. */
import type { DatabaseSync } from "node:sqlite";
import { DiskStore } from "../../lib/storage/disk_store.ts";
import { LargeBodies } from "../../lib/storage/large_bodies.ts";
import { Quota } from "../../lib/storage/quota.ts";
import { Room } from "../../lib/storage/room.ts";
import { openDatabase } from "../../lib/storage/schema.ts";
import { WriteAheadLog } from "../../lib/storage/write_ahead_log.ts";
import { flipBit } from "./sample.ts";
import type { OpenedStore, OpenOptions } from "./store_suite.ts";

/** The most pages of a store that is to have room for a few files of 64 KiB only. */
const littlePages = 50;

/** A new store in a directory of its own; its parts are those of `openDiskStore`, without the lock. */
export function openDiskStoreToHarm({ isLittle, quota }: OpenOptions): OpenedStore {
  const held = new DisposableStack();
  const directory = held.adopt(
    Deno.makeTempDirSync(),
    (directory) => Deno.removeSync(directory, { recursive: true }),
  );
  let time = 0;
  const now = () => time;
  const pagesMax = isLittle ? littlePages : undefined;
  const bodies = held.adopt(new LargeBodies(`${directory}/bodies`), (bodies) => bodies.close());
  const database = openDatabase(`${directory}/ring.db`, { pagesMax });
  held.defer(() => database.close());
  const log = held.use(new WriteAheadLog(`${directory}/ring.db`));
  const room = new Room(directory, { database, now });
  const store = new DiskStore(database, {
    ...{ log, bodies, room, held, now },
    quota: new Quota(quota),
  });
  return {
    store,
    advance: (milliseconds) => {
      time += milliseconds;
    },
    damageBody: (sha256) => damageBody(sha256, { directory, database }),
    loseBody: (sha256) => loseBody(sha256, { directory, database }),
    [Symbol.dispose]: () => store.close(),
  };
}

interface Place {
  readonly directory: string;
  readonly database: DatabaseSync;
}

/** Flips a bit of a file, or of a BLOB. */
function damageBody(sha256: string, { directory, database }: Place): void {
  const path = pathOf(sha256, directory);
  const row = database.prepare("SELECT bytes FROM bodies WHERE sha256 = unhex(?)").get(sha256);
  const bytes = row?.bytes instanceof Uint8Array ? row.bytes : Deno.readFileSync(path);
  flipBit(bytes);
  if (row === undefined) Deno.writeFileSync(path, bytes);
  else database.prepare("UPDATE bodies SET bytes = ? WHERE sha256 = unhex(?)").run(bytes, sha256);
}

function loseBody(sha256: string, { directory, database }: Place): void {
  const { changes } = database.prepare("DELETE FROM bodies WHERE sha256 = unhex(?)").run(sha256);
  if (Number(changes) === 0) Deno.removeSync(pathOf(sha256, directory));
}

function pathOf(sha256: string, directory: string): string {
  return `${directory}/bodies/${sha256.slice(0, 2)}/${sha256}`;
}
