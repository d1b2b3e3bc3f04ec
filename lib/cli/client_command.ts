/** `ring client`: asks a server of a ring. */
import { configureLog } from "../log.ts";
import { isLive } from "../ring/member.ts";
import { type ClientAction, type ClientCommand, parseClientCommand } from "./client_flags.ts";
import { asksFor } from "./flags.ts";
import { type ExitCode, exitCode } from "./exit_code.ts";
import { reportFailure } from "./failure.ts";
import { getFile } from "./get_action.ts";
import { helpText } from "./help.ts";
import { listFiles } from "./list_action.ts";
import { countText, printLine, writeOutput } from "./output.ts";
import { putFiles } from "./put_action.ts";
import { readEnvironment } from "./secret_file.ts";
import { type Outcome, Session } from "./session.ts";
import { showStatus } from "./status_action.ts";
import { verifyRing } from "./verify_action.ts";

/** Runs `ring client` with the arguments that follow these words; returns the exit code. */
export async function runClient(args: readonly string[]): Promise<ExitCode> {
  try {
    return await runCommand(parseClientCommand(args, readEnvironment()));
  } catch (error) {
    return reportFailure(error, { json: asksFor(args, "json"), verbose: asksFor(args, "verbose") });
  }
}

async function runCommand(command: ClientCommand): Promise<ExitCode> {
  if (command.type === "help") {
    await writeOutput(new TextEncoder().encode(helpText("client")));
    return exitCode.done;
  }
  configureLog({ verbose: command.verbose, format: "text", quiet: true });
  const outcome = await act(new Session(command), command.action);
  if (command.json) {
    const ok = outcome.exitCode === exitCode.done;
    printLine(JSON.stringify({ ok, ...outcome.json }));
  }
  return outcome.exitCode;
}

function act(session: Session, action: ClientAction): Promise<Outcome> {
  switch (action.type) {
    case "put":
      return putFiles(session, action);
    case "get":
      return getFile(session, action);
    case "delete":
      return deleteFile(session, action);
    case "list":
      return listFiles(session, action);
    case "status":
      return showStatus(session);
    case "leave":
      return leave(session);
    case "forget":
      return forget(session, action);
    case "verify":
      return verifyRing(session);
    case "gc":
      return dropTombstones(session);
  }
}

function leave(session: Session): Promise<Outcome> {
  return session.ask(async (client) => {
    await client.leave();
    session.print(`${client.address} leaves the ring`);
    return { exitCode: exitCode.done, json: { command: "leave", address: client.address } };
  });
}

function forget(
  session: Session,
  { member }: ClientAction & { type: "forget" },
): Promise<Outcome> {
  return session.ask(async (client) => {
    const { id, address } = await client.forget(member);
    session.print(`forgot ${address}, ${id}`);
    return { exitCode: exitCode.done, json: { command: "forget", id, address } };
  });
}

function dropTombstones(session: Session): Promise<Outcome> {
  return session.ask(async (client) => {
    const dropped = await client.collect();
    const servers = (await client.status()).members.filter(isLive).length;
    const where = servers === 1 ? "" : ` on each of ${servers} servers`;
    session.print(`dropped ${countText(dropped, ["tombstone", "tombstones"])}${where}`);
    return { exitCode: exitCode.done, json: { command: "gc", dropped, servers } };
  });
}

function deleteFile(
  session: Session,
  { name }: ClientAction & { type: "delete" },
): Promise<Outcome> {
  return session.ask(async (client) => {
    const { copies, stamp } = await client.delete(name);
    session.print(
      `deleted ${name}${
        copies === undefined ? "" : `, ${countText(copies, ["server", "servers"])}`
      }`,
    );
    return { exitCode: exitCode.done, json: { command: "delete", name, copies, stamp } };
  });
}
