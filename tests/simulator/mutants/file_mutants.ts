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
    name: "who answers a COMPARE does not get to know who asked",
    file: "lib/ring/repair.ts",
    find: "    if (member.id === from) roster.merge([member], from);\n",
    replace: "",
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
    name: "a stamp leaves before the ceiling above it is saved",
    file: "lib/ring/saving.ts",
    find: " &&\n      ceiling === this.#ceiling",
    replace: "",
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
    find: "`${time}-${counter}-${this.id}`",
    replace: '`${time}-${counter}-${"0".repeat(32)}`',
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
    file: "lib/ring/finder.ts",
    find: "own.stamp > errand.found.record.stamp",
    replace: "own.stamp < errand.found.record.stamp",
  },
  {
    name: "a file is not found though a member was skipped",
    file: "lib/ring/finder.ts",
    find: 'circle.visited.filter((visit) => visit.deed !== "skipped").map',
    replace: "circle.visited.map",
  },
  {
    name: "a server that missed a write goes on as if it had not",
    file: "lib/ring/replication.ts",
    find: '      if (applied.deed === "failed") roster.lapse(this.#settledAt(circle, record));\n',
    replace: "",
  },
  {
    name: "a server that missed a write catches up before others have it",
    file: "lib/ring/replication.ts",
    find: "roster.lapse(this.#settledAt(circle, record));",
    replace: "roster.lapse();",
  },
  {
    name: "a creator that has no room for a write goes on as if it had it",
    file: "lib/ring/replication.ts",
    find: '        if (own.deed === "failed" && !hasFailed) roster.lapse();\n',
    replace: "",
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
      '    const { record, upload } = errand;\n    this.#report(circle, errand, "stored");\n' +
      "    applier.apply(",
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
    find: "  if (copies < least) {",
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
    find: "        records,\n",
    replace: "        records: records.filter((record) => record.deleted !== true),\n",
  },
  {
    name: "a server counts as a copy after the first page",
    file: "lib/ring/repair.ts",
    find: "    if (pull.after !== undefined) {\n",
    replace: '    if (pull.after === "") {\n',
  },
  {
    name: "a server counts as a copy before its pages are stored",
    file: "lib/ring/repair.ts",
    find: "    } else if (pull.open === 0) this.#finish(pull);\n",
    replace: "    } else this.#finish(pull);\n",
  },
  {
    name: "a record that could not be stored does not fail a pull",
    file: "lib/ring/repair.ts",
    find: '      if (applied.deed === "failed") pull.failures++;\n',
    replace: "",
  },
  {
    name: "neighbours that differ do not compare",
    file: "lib/ring/differences.ts",
    find: "same >= differencesMin || any >= busyDifferencesMin",
    replace: "same >= 1e9",
  },
  {
    name: "who is back is not told what it has missed",
    file: "lib/ring/returns.ts",
    find: '      effects.send(member.address, { type: "MISSED", from: self, to: id });\n',
    replace: "",
  },
  {
    name: "who has missed writes does not pull from all who say so",
    file: "lib/ring/repair.ts",
    find: "    this.#owed.set(member, this.#options.effects.now.monotonic + awaitMs);\n",
    replace: "",
  },
  {
    name: "a source that may have missed writes counts as one that has all",
    file: "lib/ring/repair.ts",
    find: "    pull.isPartial ||= message.partial === true;\n",
    replace: "",
  },
  {
    name: "a server that may have missed writes does not say so",
    file: "lib/ring/repair.ts",
    find: "...(isPartial ? { partial: true } : {}),",
    replace: "",
  },
  {
    name: "a write that is missed during a pull is not counted",
    file: "lib/ring/repair.ts",
    find: "    if (roster.lapses !== this.#lapses) this.#forget();\n",
    replace: "",
  },
  {
    name: "a pull that was given up counts as one that has brought all",
    file: "lib/ring/repair.ts",
    find: "    this.#pull = undefined;\n    this.#failed.add(pull.source);",
    replace: "    this.#pull = undefined;\n    this.#pulled.add(pull.source);",
  },
  {
    name: "what is damaged is not mended",
    file: "lib/ring/mender.ts",
    find: "      if (name === undefined) {\n",
    replace: "      if (name === undefined || request >= 0) {\n",
  },
  {
    name: "a file is served whose body is lost",
    file: "lib/ring/replication.ts",
    find: "      if (isCurrent && bodyLost !== true) return",
    replace: "      if (isCurrent) return",
  },
  {
    name: "tombstones are dropped while a member is away",
    file: "lib/ring/collector.ts",
    find: 'return member.status !== "alive" && member.status !== "joining" &&',
    replace: 'return member.status === "suspect" &&',
  },
  {
    name: "tombstones are dropped while servers differ",
    file: "lib/ring/collector.ts",
    find: "survey.list === membership.digest && survey.files === first.files",
    replace: "survey.list === membership.digest",
  },
  {
    name: "tombstones are dropped while older writes are under way",
    file: "lib/ring/collector.ts",
    find: "      survey.isSettled && survey.list",
    replace: "      survey.list",
  },
  {
    name: "tombstones of later deletions are dropped",
    file: "lib/ring/collector.ts",
    find: "effects.collect({ upTo, limit",
    replace: "effects.collect({ upTo: `f${upTo.slice(1)}`, limit",
  },
  {
    name: "a newcomer makes stamps up to which tombstones were dropped",
    file: "lib/ring/entrance.ts",
    find: "    clock.forgo(message.stamp, effects.now.wall);\n",
    replace: "",
  },
  {
    name: "a newcomer does so if it takes its place from an UPDATE",
    file: "lib/ring/entrance.ts",
    find: "    clock.forgo(message.stamp, effects.now.wall);\n",
    replace: '    if (message.type === "INSERTED") clock.forgo(message.stamp, effects.now.wall);\n',
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
    find: "(isLost && this.#pull.isPartial) || !live.has(this.#pull.source)",
    replace: "isLost && this.#pull.isPartial",
  },
  {
    name: "the stamp of a write that could not be stored is forgotten",
    file: "lib/ring/applier.ts",
    find: 'if (applied.deed === "failed") this.#clock.forgo',
    replace: 'if (applied.deed === "failed") this.#clock.observe',
  },
  {
    name: "a joining server is alive when one other has given it everything",
    file: "lib/ring/repair.ts",
    find: "!(this.#hasAll && this.#silent.has(id))",
    replace: "!this.#hasAll",
  },
  {
    name: "who says MISSED is not asked again if it was silent before",
    file: "lib/ring/repair.ts",
    find: "    this.#pulled.delete(member);\n    this.#silent.delete(member);\n",
    replace: "    this.#pulled.delete(member);\n",
  },
  {
    name: "who was alone does not pull from those that come back",
    file: "lib/ring/repair.ts",
    find: "    if (!this.#hasAll) this.#oweThoseGone();\n",
    replace: "",
  },
  {
    name: "a store takes an older record",
    file: "lib/storage/body.ts",
    find: "previous === undefined || previous.stamp < record.stamp",
    replace: "previous === undefined || previous.stamp !== record.stamp",
  },
  {
    name: "a store takes a record without its body",
    file: "lib/storage/body.ts",
    find: "return !record.deleted && record.size > 0 && body === undefined;",
    replace: 'return !record.deleted && record.name === "" && body === undefined;',
  },
  {
    name: "a store does not take a record again whose body it has lost",
    file: "lib/storage/body.ts",
    find: "return isLost ? undefined : previous;",
    replace: "return previous;",
  },
  {
    name: "a record that was replaced still counts in the digest",
    file: "lib/storage/record_totals.ts",
    find: "const hashes = count(sum, previous, -1) ^ count(sum, record, +1);",
    replace: "const hashes = count(sum, record, +1);",
  },
  {
    name: "the next page leaves out the names of other buckets that come before its last",
    file: "lib/storage/bucket.ts",
    find: 'const range = { after: bucket === first ? after : "", limit: limit - found.length };',
    replace: "const range = { after, limit: limit - found.length };",
  },
];
