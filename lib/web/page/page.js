/** The page of a ring: hears all servers, and shows what they tell. */
import { Deletion } from "./deletion.js";
import { startDropZone } from "./drop_zone.js";
import { find, setText } from "./element.js";
import { FileTable } from "./file_table.js";
import { Hero } from "./hero.js";
import { Journal } from "./journal.js";
import { shortNames } from "./members.js";
import { Notice } from "./notice.js";
import { NumbersPanel } from "./numbers.js";
import { Ring } from "./ring.js";
import { describeChange } from "./sentences.js";
import { startTheme } from "./theme.js";
import { Uploads } from "./uploads.js";
import { Writes } from "./writes.js";

/** How often what depends on the time is shown anew, in milliseconds. */
const refreshMs = 1000;

/** How long to collect changes of files before their numbers are shown, in milliseconds: as the table does. */
const collectMs = 120;

startTheme(find("theme", HTMLButtonElement));
const journal = new Journal(find("journal", HTMLElement), find("announcer", HTMLElement));
const writes = new Writes();
const notice = new Notice();
const numbersPanel = new NumbersPanel();
const deletion = new Deletion();
const files = new FileTable((name) => deletion.ask(name));
const uploads = new Uploads({
  panel: find("uploads", HTMLElement),
  list: find("uploads-list", HTMLElement),
  summary: find("uploads-summary", HTMLElement),
}, (text) => journal.announce(text));

const ring = new Ring({
  onMembers: handleMembers,
  onNumbers: (_id, numbers, previous) => numbersPanel.handle(numbers, previous),
  onHop: (hop) => hero.handleHop(hop),
  onFile: handleFile,
  onNote: handleNote,
  onOwn: handleOwn,
});
const hero = new Hero(ring);
startDropZone((chosen) => uploads.add(chosen));
setInterval(() => hero.update(), refreshMs);
ring.start();

/** @type {ReturnType<typeof setTimeout> | undefined} */
let updating;

/**
 * @param {readonly import("./members.js").Member[]} members
 * @param {readonly import("./members.js").Member[]} previous
 */
function handleMembers(members, previous) {
  hero.update();
  notice.update(ring);
  setText(find("where", HTMLElement), members.find(({ id }) => id === ring.ownId)?.address ?? "");
  if (previous.length === 0) return;
  for (const sentence of describeChange(members, previous)) {
    journal.write(sentence);
    journal.announce(sentence.text);
  }
}

/**
 * @param {string} id
 * @param {import("./ring.js").FileChange} change
 */
function handleFile(id, change) {
  const context = { names: shortNames(ring.members), now: Date.now() };
  const { key, text } = writes.describe(id, change, context);
  journal.write({ text, tone: "plain" }, key);
  files.apply(change.record);
  updating ??= setTimeout(() => {
    updating = undefined;
    hero.update();
  }, collectMs);
}

/**
 * @param {string} id
 * @param {string} text
 */
function handleNote(id, text) {
  // What becomes of a member is told by each server, and said here once.
  if (ring.members.some(({ address }) => text.startsWith(`${address} is `))) return;
  journal.write({ text: `${shortNames(ring.members).get(id) ?? ""}: ${text}`, tone: "plain" });
}

/** @param {boolean} isHeard */
function handleOwn(isHeard) {
  notice.handleOwn(isHeard);
  // What happened while it was not heard is in none of the events.
  if (isHeard) files.load();
  else files.stopLoading();
}
