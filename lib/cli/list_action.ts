/** `ring client --list`: the files of a server. */
import type { FileRecord } from "../ring/file_record.ts";
import { stampMillis } from "../ring/stamp.ts";
import type { ClientAction } from "./client_flags.ts";
import { exitCode } from "./exit_code.ts";
import { sizeText } from "./output.ts";
import type { Outcome, Session } from "./session.ts";

/** The columns of a size: `1.23 kB`. */
const sizeColumns = 7;

/** Lists files: to a terminal with size and date, to a pipe by name alone, as programs want it. */
export function listFiles(
  session: Session,
  { prefix }: ClientAction & { type: "list" },
): Promise<Outcome> {
  const isTerminal = Deno.stdout.isTerminal();
  return session.ask(async (client) => {
    const files: Record<string, unknown>[] = [];
    for await (const record of client.list(prefix)) {
      if (session.json) files.push(recordJson(record));
      else session.print(isTerminal ? listLine(record) : record.name);
    }
    return { exitCode: exitCode.done, json: { command: "list", prefix, files } };
  });
}

/** One line of a list: size, date of the write in local time, name. */
export function listLine({ size, stamp, name }: FileRecord): string {
  const date = dateText(new Date(stampMillis(stamp)));
  return `${sizeText(size).padStart(sizeColumns)}  ${date}  ${name}`;
}

/** A date as `2026-01-31 09:05`, in local time. */
function dateText(date: Date): string {
  const [month, day, hours, minutes] = [
    date.getMonth() + 1,
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
  ].map((part) => `${part}`.padStart(2, "0"));
  return `${date.getFullYear()}-${month}-${day} ${hours}:${minutes}`;
}

function recordJson(record: FileRecord): Record<string, unknown> {
  const { name, size, sha256, contentType, stamp } = record;
  return { name, size, sha256, contentType, stamp, written: new Date(stampMillis(stamp)) };
}
