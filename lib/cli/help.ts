/** What `--help` prints. The flags come from the tables that the parser reads. */
import { clientFlags } from "./client_flags.ts";
import type { Flag, FlagTable } from "./flags.ts";
import { serverFlags } from "./server_flags.ts";

/** What there is help on. */
export type HelpTopic = "ring" | "server" | "client";

/** The commands of `ring`. */
export const commands = ["server", "client", "secret"] as const;

const ringHelp = `\
ring: a circular list of web servers, each with a copy of every file

Usage
  ring server [flags]   start a server, alone or next to another
  ring client [flags]   put, get, delete and list files at any server
  ring secret           print a good new secret for a ring (--secret-file)
  ring --help, ring server --help, ring client --help
  ring --version

Three servers, each in a terminal of its own, then a file
  ring server
  ring server --prev-port 4043
  ring server --prev-port 4043
  ring client --put index.html
  ring client --port 4045 --get index.html

Exit codes
  0 done   1 failed   2 wrong usage   3 not found   5 no server answers
`;

const serverIntroduction = `\
ring server: start a server; it holds a copy of every file of its ring

Usage
  ring server                     a ring of one server, to which others are added
  ring server --prev-port 4043    join the ring, after the server at port 4043
  ring server --data DIR          keep the files in DIR; a restart rejoins its ring
`;

const serverNotes = `\
Output
  On stdout, when the server is ready and at every change of the ring:
    listening 127.0.1.1:4043
    web http://127.0.1.1:8043/
    ring 127.0.1.1:4043 -> 127.0.1.1:4044 -> (127.0.1.1:4043)
  The web address serves the files to browsers, and at /_ring/ a page that shows the ring;
  with --ring-http-port another line says where that is: page http://127.0.1.1:9043/_ring/
  Logs go to stderr. Ctrl-C leaves the ring and stops, twice stops at once.

Exit codes
  0 stopped as asked   1 failed   2 wrong usage   5 the previous server does not answer
`;

const clientIntroduction = `\
ring client: put, get, delete and list files at any server of a ring

Usage
  ring client --put PATH... [--as NAME]
  ring client --get NAME [-o FILE]
  ring client --delete NAME
  ring client --list [PREFIX]
  ring client --status
  ring client --verify
  ring client --gc
`;

const clientNotes = `\
Notes
  --put site/index.html stores index.html; --put site stores index.html, css/site.css, ...
  A file that cannot be put is reported, and the others go on. Symbolic links to files are
  followed; links to folders, and what is no file, are skipped with a warning.
  --put - --as NAME puts stdin. One dash will do: -put, -get.
  --list shows size, date and name on a terminal; on a pipe names alone, one a line.
  --verify takes as long as the servers need to read what they hold. It ends with 0 if all
  servers of the list are alive, nothing is left damaged, and they are equal.
  A deleted file leaves a tombstone on every server, so that it stays deleted. --gc drops
  them; it is refused while a server is gone that could bring deleted files back.
  A write is answered when every server has it, which may outlast --timeout by seconds.

Exit codes
  0 done   1 failed, for one file or server at least   2 wrong usage   3 not found
  5 no server answered, or the ring is unavailable
`;

/** The help on `topic`, ending in a line end. */
export function helpText(topic: HelpTopic): string {
  switch (topic) {
    case "ring":
      return ringHelp;
    case "server":
      return [serverIntroduction, flagsText(serverFlags), serverNotes].join("\n");
    case "client":
      return [clientIntroduction, flagsText(clientFlags), clientNotes].join("\n");
  }
}

function flagsText({ flags }: FlagTable): string {
  const left = flags.map(flagText);
  const width = Math.max(...left.map((text) => text.length));
  const lines = flags.map((flag, index) => `  ${(left[index] ?? "").padEnd(width)}  ${flag.help}`);
  return `Flags, with defaults in brackets\n${lines.join("\n")}\n`;
}

function flagText({ name, short, value }: Flag): string {
  const dashed = short === undefined ? `    --${name}` : `-${short}, --${name}`;
  return value === undefined ? dashed : `${dashed} ${value}`;
}
