/** Bugs in files: stamps, storing, answering, catching up. */
import type { Mutant } from "./mutant.ts";

/** Bugs in what is stored and answered. */
export const fileMutants: readonly Mutant[] = [
  {
    name: "a write is acknowledged before it is on disk",
    file: "lib/ring/applier.ts",
    find: "    this.#effects.write(recordWrite(record, body), (outcome) => {\n      if",
    replace: '    if (body) then({ deed: "stored", previous: undefined, changed: true });\n' +
      "    this.#effects.write(recordWrite(record, body), (outcome) => {\n" +
      "      if (body) return;\n      if",
  },
  {
    name: "a body that could not be fetched counts as stored",
    file: "lib/ring/applier.ts",
    find: '      else then({ deed: "failed", reason: "bodyMissing" });',
    replace: '      else then({ deed: "stored", previous: undefined, changed: true });',
  },
  {
    name: "a full disk counts as stored",
    file: "lib/ring/applier.ts",
    find: '    case "full":\n    case "bodyMissing":\n',
    replace: '    case "full":\n' +
      '      return { deed: "stored", previous: undefined, changed: true };\n' +
      '    case "bodyMissing":\n',
  },
  {
    name: "a COMPARE is answered before what came before is stored",
    file: "lib/ring/applier.ts",
    find: "    if (this.#open.size === 0) return then();\n",
    replace: "    return then();\n",
  },
  {
    name: "the clock does not follow the stamps of others",
    file: "lib/ring/applier.ts",
    find: "    this.#clock.observe(application.record.stamp);\n",
    replace: "",
  },
  {
    name: "the counter of the clock stands still",
    file: "lib/ring/stamp.ts",
    find: "      this.#counter++;\n",
    replace: "",
  },
  {
    name: "the clock ignores the counters of others",
    file: "lib/ring/stamp.ts",
    find: "millis < this.#millis || (millis === this.#millis && counter <= this.#counter)",
    replace: "millis <= this.#millis",
  },
  {
    name: "the clock goes back after a restart",
    file: "lib/ring/stamp.ts",
    find: "    this.#millis = stampMillis(highest);\n",
    replace: "    this.#millis = 0;\n",
  },
  {
    name: "the clock goes back with the wall clock",
    file: "lib/ring/stamp.ts",
    find: "    if (wall > this.#millis) {",
    replace: "    if (wall !== this.#millis) {",
  },
  {
    name: "two servers make the same stamp",
    file: "lib/ring/stamp.ts",
    find: "`${millis}-${counter}-${this.id}`",
    replace: '`${millis}-${counter}-${"0".repeat(32)}`',
  },
  {
    name: "a write is sent again with a new stamp",
    file: "lib/ring/rounds.ts",
    find: "    round.attempt++;\n",
    replace: "    round.attempt++;\n" +
      "    const { errand } = round.payload;\n" +
      '    if (errand.type === "WRITE") {\n' +
      '      const stamp = errand.record.stamp.replace(/-[0-9a-f]{4}-/, "-ffff-");\n' +
      "      Object.assign(round.payload, { errand: { ...errand, record: { ...errand.record, stamp } } });\n" +
      "    }\n",
  },
  {
    name: "a FIND ignores a newer record",
    file: "lib/ring/replication.ts",
    find: "own.stamp > errand.found.record.stamp",
    replace: "own.stamp < errand.found.record.stamp",
  },
  {
    name: "a file is not found though a member was skipped",
    file: "lib/ring/replication.ts",
    find: 'circle.visited.filter((visit) => visit.deed !== "skipped").map',
    replace: "circle.visited.map",
  },
  {
    name: "a server that missed a write goes on as if it had not",
    file: "lib/ring/replication.ts",
    find: '      if (applied.deed === "failed") roster.lapse();\n      this.#report',
    replace: "      this.#report",
  },
  {
    name: "a DELETE leaves no tombstone",
    file: "lib/ring/replication.ts",
    find: "    this.#write(tombstone, {}, (result) => {",
    replace: "    if (tombstone.size === 0) return answer(200, { copies: 1, stamp });\n" +
      "    this.#write(tombstone, {}, (result) => {",
  },
  {
    name: "a write is reported before it is stored",
    file: "lib/ring/replication.ts",
    find: "    const { record, upload } = errand;\n    applier.apply(",
    replace:
      '    const { record, upload } = errand;\n    this.#report(circle, "stored");\n    applier.apply(',
  },
  {
    name: "a file that was deleted is found",
    file: "lib/ring/replication.ts",
    find: "  if (record === undefined || record.deleted === true) {\n    return answer(404",
    replace: "  if (record === undefined) {\n    return answer(404",
  },
  {
    name: "fewer copies than are asked for are enough",
    file: "lib/ring/replication.ts",
    find: "  if (copies < minCopies) {",
    replace: "  if (copies < 0) {",
  },
  {
    name: "writes are taken that too few servers can store",
    file: "lib/ring/write_gate.ts",
    find: "    if (live >= minCopies) return undefined;\n",
    replace: "    if (live >= 0) return undefined;\n",
  },
  {
    name: "writes are taken with a wrong clock",
    file: "lib/ring/write_gate.ts",
    find: "return this.#tooFew() ?? this.#wrongClock();",
    replace: "return this.#tooFew();",
  },
  {
    name: "a page leaves tombstones out",
    file: "lib/ring/repair.ts",
    find: "          records,\n",
    replace: "          records: records.filter((record) => record.deleted !== true),\n",
  },
  {
    name: "a server counts as a copy after the first page",
    file: "lib/ring/repair.ts",
    find: "    if (page.next === undefined) return this.#finish(pull);",
    replace: '    if (page.type === "PAGE") return this.#finish(pull);',
  },
  {
    name: "a server counts as a copy before its pages are stored",
    file: "lib/ring/repair.ts",
    find: "    if (pull.open === 0) this.#turnPage(pull, message);\n",
    replace: "    this.#turnPage(pull, message);\n",
  },
  {
    name: "a record that could not be stored does not fail a pull",
    file: "lib/ring/repair.ts",
    find: '      if (applied.deed === "failed") pull.failures++;\n',
    replace: "",
  },
  {
    name: "neighbours that differ do not compare",
    file: "lib/ring/repair.ts",
    find: "    known.count++;\n",
    replace: "    known.count = 0;\n",
  },
  {
    name: "a page that was not asked for is taken",
    file: "lib/ring/repair.ts",
    find: "pull === undefined || pull.sequence !== message.sequence",
    replace: "pull === undefined",
  },
  {
    name: "a source that has died is waited for",
    file: "lib/ring/repair.ts",
    find: "if (source === undefined || !isLive(source)) this.#pull = undefined;",
    replace: "if (source === undefined) this.#pull = undefined;",
  },
  {
    name: "the disk takes an older record",
    file: "tests/simulator/disk.ts",
    find: "previous !== undefined && previous.stamp >= record.stamp",
    replace: "previous !== undefined && previous.stamp === record.stamp",
  },
  {
    name: "the disk takes a record without its body",
    file: "tests/simulator/disk.ts",
    find: 'return isBare ? { outcome: "bodyMissing" } : undefined;',
    replace: 'return isBare && record.name === "" ? { outcome: "bodyMissing" } : undefined;',
  },
];
