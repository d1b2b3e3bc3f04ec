/** Messages in a few words, for whoever reads along with `--verbose`. */
import type { Incoming } from "../protocol/decode.ts";
import type { MemberMessage } from "../ring/message.ts";

/** For example `CHECK`, `PUT "index.html"` or `FORWARD WRITE "index.html"`. */
export function describeMessage(message: Incoming | MemberMessage): string {
  switch (message.type) {
    case "GET":
    case "PUT":
    case "DELETE":
      return `${message.type} ${JSON.stringify(message.item)}`;
    case "FORWARD": {
      const { errand } = message;
      const name = errand.type === "WRITE" ? errand.record.name : errand.item;
      return `FORWARD ${errand.type} ${JSON.stringify(name)}`;
    }
    case "REPORT":
      return `REPORT ${message.deed}`;
    default:
      return message.type;
  }
}
