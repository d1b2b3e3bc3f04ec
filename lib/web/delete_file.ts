/** DELETE of a file (RFC 9110, section 9.3.5). */
import type { Backend } from "./backend.ts";
import { type FileExchange, requestIfHolds, sendRefusal } from "./file_exchange.ts";

/** Deletes a file, and answers with 204, or why it was not deleted. Never rejects. */
export async function deleteFile(backend: Backend, exchange: FileExchange): Promise<void> {
  const { response, name } = exchange;
  const answer = await requestIfHolds(backend, exchange, { type: "DELETE", item: name });
  if (answer === undefined) return;
  if (answer.status !== 200) return sendRefusal(exchange, answer);
  response.writeHead(204, {
    "X-Content-Type-Options": "nosniff",
    ...(answer.copies === undefined ? {} : { "Ring-Copies": String(answer.copies) }),
  });
  response.end();
}
