/** `ring client --get`: a file to stdout, or to a file. */
import { quoteText } from "../protocol/quote.ts";
import type { ClientAction } from "./client_flags.ts";
import { exitCode } from "./exit_code.ts";
import { LocalError } from "./local_error.ts";
import { sizeText, writeOutput } from "./output.ts";
import type { Progress } from "./progress.ts";
import { saveFile } from "./saved_file.ts";
import type { Outcome, Session } from "./session.ts";

/** Gets a file; the hash of its bytes is verified at the end. */
export function getFile(
  session: Session,
  { name, output }: ClientAction & { type: "get" },
): Promise<Outcome> {
  return session.ask(async (client) => {
    const { answer, body } = await client.get(name);
    const { size, sha256, contentType, stamp } = answer;
    // A terminal that shows the file cannot show a bar.
    const hidden = output === undefined && Deno.stdout.isTerminal();
    const progress = session.progress("get", { totalBytes: size, hidden });
    try {
      const bytes = counted(body, progress);
      if (output === undefined) await showFile(name, bytes);
      else await saveFile(output, bytes);
    } finally {
      progress.clear();
    }
    if (output !== undefined) session.print(`got ${name} ${sizeText(size)}, in ${output}`);
    return {
      exitCode: exitCode.done,
      json: { command: "get", name, output, size, sha256, contentType, stamp },
    };
  });
}

/** Writes a file to stdout. */
async function showFile(name: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const isTerminal = Deno.stdout.isTerminal();
  for await (const chunk of body) {
    if (isTerminal && chunk.includes(0)) {
      throw new LocalError(
        `Cannot show ${quoteText(name)}: it is no text, and would upset the terminal; use -o FILE`,
      );
    }
    await writeOutput(chunk);
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    progress.add(chunk.length);
    yield chunk;
  }
}
