/** Tests of a store in a directory of its own. */
import { type DiskStore, openDiskStore } from "../../lib/storage/disk_store.ts";
import { needs } from "../permission.ts";

/** Defines a test that is given an empty directory, which is removed after it. */
export function testInDirectory(
  name: string,
  body: (directory: string) => void | Promise<void>,
): void {
  Deno.test({
    name,
    ...needs("read", "write"),
    fn: async () => {
      const directory = Deno.makeTempDirSync();
      try {
        await body(directory);
      } finally {
        Deno.removeSync(directory, { recursive: true });
      }
    },
  });
}

/** Opens the store in a directory, does something with it, and closes it. */
export async function visit<Result>(
  directory: string,
  body: (store: DiskStore) => Result | Promise<Result>,
): Promise<Result> {
  const store = openDiskStore(directory);
  try {
    return await body(store);
  } finally {
    store.close();
  }
}
