/**
 * The mender: has what is missing here brought from other servers.
 *
 * What a scrub finds damaged it removes. A record that is still here lacks its body, which is fetched; one
 * that is gone is looked for with a FIND. A name that nobody knows was damaged itself: the comparison of
 * digests brings back what it stood for (`repair.ts`).
 */
import type { Address } from "./address.ts";
import type { Applied, Applier } from "./applier.ts";
import type { Effects } from "./effects.ts";
import type { FileRecord } from "./file_record.ts";
import type { Finder } from "./finder.ts";
import type { MemberId } from "./member.ts";
import type { Membership } from "./membership.ts";
import type { Find } from "./message.ts";
import type { RequestId } from "./step.ts";

/** How an attempt to bring a file here has ended. */
export type Brought =
  | { readonly outcome: "stored"; readonly record: FileRecord }
  | { readonly outcome: "failed"; readonly reason: "full" | "bodyMissing"; readonly error: string };

/** What {@linkcode Mender} is made of. */
export interface MenderOptions {
  readonly self: MemberId;
  readonly membership: Membership;
  readonly finder: Finder;
  readonly applier: Applier;
  readonly effects: Effects;
}

/** Brings to one server what it lacks. */
export class Mender {
  readonly #options: MenderOptions;

  constructor(options: MenderOptions) {
    this.#options = options;
  }

  /** Brings what was stored under these names here again, one after the other. */
  handleDamaged(request: RequestId, names: readonly string[]): void {
    const lost: string[] = [];
    const mendFrom = (index: number): void => {
      const name = names[index];
      if (name === undefined) {
        this.#options.effects.add({ type: "mended", request, lost });
        return;
      }
      this.#mend(name, (isWhole) => {
        if (!isWhole) lost.push(name);
        mendFrom(index + 1);
      });
    };
    mendFrom(0);
  }

  /** Brings a file here that has been found, from who holds it or, if that is this server, from another. */
  bring({ record, holder }: Find, then: (brought: Brought) => void): void {
    this.#options.applier.apply({ record, sources: this.#sources(holder) }, (applied) => {
      if (applied.deed === "stored") {
        return then({ outcome: "stored", record: newest(record, applied) });
      }
      const { reason } = applied;
      const name = JSON.stringify(record.name);
      const error = reason === "full"
        ? `There is no room on this server's disk for ${name}, which another server has`
        : `Cannot get ${name} from any server found to have it`;
      then({ outcome: "failed", reason, error });
    });
  }

  #mend(name: string, then: (isWhole: boolean) => void): void {
    const { self, membership, finder, effects } = this.#options;
    const tell = (brought: Brought) => then(brought.outcome === "stored");
    effects.look(name, (own) => {
      if (own !== undefined) return this.bring({ record: own, holder: self }, tell);
      finder.search(name, undefined, (search) => {
        if (search.outcome === "unknown") return then(false);
        if (search.find === undefined) return then(membership.others.length > 0);
        this.bring(search.find, tell);
      });
    });
  }

  #sources(holder: MemberId): readonly Address[] {
    const { self, membership } = this.#options;
    const found = membership.get(holder);
    const first = found === undefined || holder === self ? [] : [found];
    const others = membership.others.filter((member) => member.id !== holder);
    return [...first, ...others].map((member) => member.address);
  }
}

/** What is stored once `record` has been applied: it, or something newer. */
function newest(record: FileRecord, applied: Extract<Applied, { deed: "stored" }>): FileRecord {
  return applied.changed || applied.previous === undefined ? record : applied.previous;
}
