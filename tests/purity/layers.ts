/** The layers of `lib/`, and who may import whom: cli → server → web, client → storage, protocol → ring. */

import { fileURLToPath } from "node:url";

/** For each folder, or file at the top, of `lib/`: the others that it may import. */
const importable: ReadonlyMap<string, readonly string[]> = new Map([
  ["ring", []],
  ["protocol", ["ring"]],
  ["storage", ["ring"]],
  ["log.ts", []],
  ["web", ["log.ts", "storage", "protocol", "ring"]],
  ["server", ["log.ts", "web", "storage", "protocol", "ring"]],
  ["client", ["log.ts", "protocol", "ring"]],
  ["cli", ["log.ts", "client", "server", "web", "storage", "protocol", "ring"]],
  ["build", []],
]);

/** The directory of the project, as linters name files in full. */
const root = fileURLToPath(new URL("../../", import.meta.url));

const logLibrary = "@logtape/logtape";

/**
 * Why a module may not import another, or `undefined` if it may.
 *
 * @param file The path of the importing module, in full or from the project's directory; outside `lib/` everything may be imported.
 * @param specifier What the import says: `./x.ts`, `@std/assert`, `node:path`.
 */
export function findImportFault(
  file: string,
  specifier: string,
): string | undefined {
  const path = pathInLib(file);
  if (path === undefined) return undefined;
  const [layer = ""] = path;
  const isRelative = specifier.startsWith(".");
  if (layer === "ring" && !isRelative) {
    return "lib/ring imports nothing from outside itself";
  }
  if (specifier === logLibrary && layer !== "log.ts") {
    return `only lib/log.ts imports ${logLibrary}`;
  }
  if (!isRelative) return undefined;
  const target = resolve(path, specifier);
  const targetLayer = target?.[0];
  if (targetLayer === layer) return undefined;
  if (layer === "ring") return "lib/ring imports nothing from outside itself";
  if (target === undefined) {
    return isData(specifier) ? undefined : "lib imports nothing above itself";
  }
  const allowed = importable.get(layer);
  if (allowed === undefined) {
    return `lib/${layer} is in no layer; name it in tests/purity/layers.ts`;
  }
  if (allowed.includes(targetLayer ?? "")) return undefined;
  return `lib/${layer} may not import lib/${targetLayer}`;
}

/** Whether a file is a module of the core, `lib/ring/`. */
export function isCore(file: string): boolean {
  return pathInLib(file)?.[0] === "ring";
}

/** The segments of a path in `lib/`, or `undefined` if the file is not in there. */
function pathInLib(file: string): readonly string[] | undefined {
  const path = file.startsWith(root) ? file.slice(root.length) : file;
  const [top, ...segments] = path.split("/");
  return top === "lib" ? segments : undefined;
}

/** The segments in `lib/` that a relative specifier comes to, or `undefined` if it leads out. */
function resolve(
  from: readonly string[],
  specifier: string,
): readonly string[] | undefined {
  const path = from.slice(0, -1);
  for (const segment of specifier.split("/")) {
    if (segment === ".") continue;
    if (segment !== "..") path.push(segment);
    else if (path.pop() === undefined) return undefined;
  }
  return path;
}

/** Whether a specifier names data, as deno.json is, which holds the version. */
function isData(specifier: string): boolean {
  return specifier.endsWith(".json");
}
