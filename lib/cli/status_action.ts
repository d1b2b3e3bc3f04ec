/** `ring client --status`: the ring as one server sees it, and what that server holds. */
import type { StatusAnswer } from "../ring/request.ts";
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
  const { readOnly, compared, files, bytes, digest, version } = answer;
  return [
    ...memberLines(answer),
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

/** The members in columns; that of their web fronts is there if any has one. */
function memberLines({ members, id }: StatusAnswer): string[] {
  const hasWeb = members.some(({ web }) => web !== undefined);
  const rows = members.map((member) => [
    member.address,
    member.status,
    member.id.slice(0, idDigits),
    ...(hasWeb ? [member.web ?? "-"] : []),
    member.id === id ? "this server" : "",
  ]);
  // As wide as the longest status, so that a list that is shown again and again stands still.
  const status = "STATUS".padEnd("joining".length);
  const titles = ["ADDRESS", status, "ID", ...(hasWeb ? ["WEB"] : []), ""];
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  return [titles, ...rows].map((row) =>
    row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}
