/** `ring client --status`: the ring as one server sees it, and what that server holds. */
import type { StatusAnswer } from "../ring/message.ts";
import { exitCode } from "./exit_code.ts";
import { countText, sizeText } from "./output.ts";
import type { Outcome, Session } from "./session.ts";

/** How many digits of an id are shown: enough to tell members apart, and for `--forget`. */
const idDigits = 8;

/** Shows the circle, in its order from the server that is asked. */
export function showStatus(session: Session): Promise<Outcome> {
  return session.ask(async (client) => {
    const answer = await client.status();
    for (const line of statusLines(answer)) session.print(line);
    const { type: _type, status: _status, ...json } = answer;
    return { exitCode: exitCode.done, json: { command: "status", ...json } };
  });
}

/** A status for a person, line by line. */
export function statusLines(answer: StatusAnswer): string[] {
  const { members, id, readOnly, compared, files, bytes, digest, version } = answer;
  const width = Math.max("ADDRESS".length, ...members.map(({ address }) => address.length));
  const rows = members.map((member) =>
    `${member.address.padEnd(width)}  ${member.status.padEnd("joining".length)}  ` +
    `${member.id.slice(0, idDigits)}  ${member.id === id ? "this server" : ""}`
  );
  return [
    `${"ADDRESS".padEnd(width)}  STATUS   ID`,
    ...rows.map((row) => row.trimEnd()),
    "",
    ...(readOnly === undefined
      ? []
      : ["disk     full: the server takes no files until there is room"]),
    ...(compared === undefined
      ? []
      : [`joining  ${countText(compared, ["file", "files"])} of another server compared so far`]),
    `files    ${countText(files, ["file", "files"])}, ${sizeText(bytes)}`,
    `digest   ${digest}`,
    `version  ${version}`,
  ];
}
