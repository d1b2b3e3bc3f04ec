/** Messages in a few words, for whoever reads along with `--verbose`. */
import type { Incoming } from "../protocol/decode.ts";
import type { Errand, MemberMessage } from "../ring/message.ts";

/** For example `CHECK`, `PUT "index.html"` or `FORWARD WRITE "index.html"`. */
export function describeMessage(message: Incoming | MemberMessage): string {
  switch (message.type) {
    case "GET":
    case "PUT":
    case "DELETE":
      return `${message.type} ${JSON.stringify(message.item)}`;
    case "FORWARD":
      return `FORWARD ${describeErrand(message.errand)}`;
    case "REPORT":
      return `REPORT ${message.deed}`;
    default:
      return message.type;
  }
}

function describeErrand(errand: Errand): string {
  switch (errand.type) {
    case "WRITE":
      return `WRITE ${JSON.stringify(errand.record.name)}`;
    case "FIND":
      return `FIND ${JSON.stringify(errand.item)}`;
    case "SURVEY":
    case "COLLECT":
      return errand.type;
  }
}
