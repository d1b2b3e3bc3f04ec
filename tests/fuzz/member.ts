/** The campaign of a member that misbehaves: every lie, many times over, to every server. */
import type { Member } from "../../lib/ring/member.ts";
import { Random } from "../simulator/random.ts";
import type { CampaignOptions } from "./campaign.ts";
import { FakeMember } from "./fake_member.ts";
import { lies } from "./lies.ts";
import { besiege } from "./siege.ts";
import type { Target } from "./target.ts";

/** How many lies warm the servers up. */
const warmUpLies = 1000;

/** How long it rests after the lies of one kind, in earnest, in milliseconds. */
const restMsMax = 500;

/** Runs the campaign; returns what does not hold. */
export function fuzzMember(
  { seed, frames, print }: CampaignOptions,
): Promise<readonly string[]> {
  return besiege({
    seed,
    print,
    // A member can have others held dead, and all writes wait until that is denied.
    isTimed: false,
    isPatient: true,
    attack: async (target, isEarnest) => {
      const began = performance.now();
      const random = new Random(isEarnest ? seed : `${seed}/warm`);
      const told = await lie(target, {
        random,
        count: isEarnest ? frames : Math.min(frames, warmUpLies),
        restMs: isEarnest && frames > warmUpLies ? restMsMax : 0,
      });
      const seconds = (performance.now() - began) / 1000;
      if (isEarnest) {
        print(`${told} lies of ${Object.keys(lies).length} kinds in ${seconds.toFixed(1)} s`);
      }
      return [];
    },
  });
}

/** Joins, lies, and is gone. */
async function lie(
  target: Target,
  { random, count, restMs }: { random: Random; count: number; restMs: number },
): Promise<number> {
  await using member = new FakeMember(random);
  const statuses = await target.statuses();
  const honest = statuses.flatMap(({ id, members }) => members.filter((one) => one.id === id));
  await member.join(target.servers[0]?.address ?? "");
  let told = 0;
  const kinds = Object.values(lies);
  const perKind = Math.ceil(count / kinds.length);
  for (const make of kinds) {
    for (let times = 0; times < perKind; times++, told++) {
      const receiver = current(random.pick(honest), member.members);
      if (receiver === undefined) continue;
      const all = honest.map((one) => current(one, member.members) ?? one);
      const liar = {
        random,
        self: member.id,
        receiver,
        honest: all,
        list: member.listOf(receiver.id),
      };
      await member.sendBytes(receiver.address, ...make(liar));
    }
    // What follows from them takes its time: hops are tried again, verdicts denied.
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
  return told;
}

/** What was heard last of a server; its address is the one that it was started with. */
function current(server: Member | undefined, heard: readonly Member[]): Member | undefined {
  const news = heard.find(({ id }) => id === server?.id);
  if (server === undefined || news === undefined) return server;
  return { ...news, address: server.address, position: server.position };
}
