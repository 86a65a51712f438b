// Messages about legs that aren't held here: the owner of the call says which edge holds the leg, and the message goes
// there whole. Nothing is asked about what is held here. It refuses to forward twice, and to keep more than a few
// messages of few legs for longer than PATIENCE_MS. 481 is said only where the owner knows no such leg.

import { parseLegUuid, verifyTag } from '@opentact/proto';
import { formatResponse } from '../stack/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { callIdFor } from './arrival.ts';
import type { Context } from './context.ts';
import { createHolders } from './holders.ts';
import type { Holder } from './port.ts';
import { createRoom } from './room.ts';
import { unanswered } from './unheld.ts';

export const PATIENCE_MS = 2_000;
/** A BYE waits no longer for a holder than for its log. */
const BYE_PATIENCE_MS = 500;
const LOOK_AGAIN_MS = 100;
const MESSAGES_PER_LEG_MAX = 8;

type Kept = { readonly message: SipMessage; readonly arrival: Arrival; readonly since: number };
type Place = { readonly callId: string; readonly leg: number; readonly unproven: boolean };
/** `nobody`: by the owner's last word there is no such leg. */
type Waiting = Place & { kept: Kept[]; nobody: boolean; over: boolean };

export type Elsewhere = {
  /** True: the request belongs to a leg that isn't held here, and is dealt with. */
  request(request: SipRequest, arrival: Arrival): boolean;
  /** As `request`, for a response to a request of ours. */
  response(response: SipResponse, arrival: Arrival): boolean;
  /** The INVITE of a call that began at another edge; where nobody holds that call, it is dropped. */
  invite(callId: string, request: SipRequest, arrival: Arrival, holder: Holder): void;
};

export function createElsewhere(context: Context): Elsewhere {
  const waiting = new Map<string, Waiting>();
  const room = createRoom();
  const holders = createHolders({ clock: context.clock, peers: () => context.peers });
  const keptOf = (message: SipMessage, arrival: Arrival) => ({ message, arrival, since: context.clock.nowMs() });
  const isHeld = ({ callId, leg }: Pick<Place, 'callId' | 'leg'>) => {
    const found = context.calls.get(callId)?.legs.get(leg);
    // A dial that is asked again may be answered before it goes out again: until then nothing here would know the answer.
    return found !== undefined && !(found.kind === 'callee' && found.state === 'preparing');
  };

  /** To its holder, or kept; where there is no room, dealt with here and now. */
  function take(place: Place, kept: Kept): void {
    const key = `${place.callId}/${place.leg}`;
    const holder = kept.arrival.forwarded ? undefined : holders.of(key, kept.message);
    if (holder) forward(place, kept, holder);
    // Without our tag it proves nothing, and is answered as any stranger's.
    else if (!keep(place, key, kept)) giveUp({ ...place, nobody: place.unproven }, kept);
  }

  function forward(place: Place, kept: Kept, { node, boot }: Holder): void {
    const { message, arrival } = kept;
    const { transport } = arrival.peer;
    context.peers.forward({ node, boot }, { bytes: message.raw, transport, source: arrival.source }, () => {
      holders.forget(`${place.callId}/${place.leg}`);
      if (context.clock.nowMs() - kept.since > PATIENCE_MS) giveUp({ ...place, nobody: place.unproven }, kept);
      else context.clock.after(LOOK_AGAIN_MS, () => take(place, kept));
    });
  }

  function keep(place: Place, key: string, kept: Kept): boolean {
    let entry = waiting.get(key);
    if (!entry) {
      if (!room.enter(place.unproven)) return false;
      entry = { ...place, kept: [], nobody: false, over: false };
      waiting.set(key, entry);
      begin(entry, key);
    }
    const { raw } = kept.message;
    const { unproven } = entry;
    if (entry.kept.some(({ message }) => message.raw.equals(raw))) return true; // it came again meanwhile
    if (entry.kept.length >= MESSAGES_PER_LEG_MAX || !room.add(kept.message, unproven)) return false;
    entry.kept.push(kept);
    if (kept.message.kind === 'request') soothe(entry, kept.message, kept);
    return true;
  }

  function begin(entry: Waiting, key: string): void {
    context.clock.after(PATIENCE_MS, () => settle(entry, key, (kept) => giveUp(entry, kept)));
    void look(entry, key);
  }

  async function look(entry: Waiting, key: string): Promise<void> {
    if (entry.over) return;
    if (isHeld(entry)) return settle(entry, key, deliver);
    const found = await ownersWord(entry);
    if (entry.over) return;
    if (isHeld(entry)) return settle(entry, key, deliver);
    const { holder } = found ?? {};
    const isOurs = holder?.node === context.self.node && holder.boot === context.self.boot;
    if (holder && !isOurs && context.peers.lives(holder)) {
      return settle(entry, key, (kept) => {
        if (kept.arrival.forwarded) return misled(entry, kept);
        holders.remember(key, holder, kept.message);
        forward(entry, kept, holder);
      });
    }
    // Where it is ours, it is on its way here.
    entry.nobody = found !== undefined && holder === undefined;
    // A CANCEL may be faster than the first word about its INVITE.
    if (found && !holder && !entry.unproven) return settle(entry, key, (kept) => giveUp(entry, kept));
    context.clock.after(LOOK_AGAIN_MS, () => void look(entry, key));
  }

  /** Undefined where no owner has a word. */
  const ownersWord = ({ callId, leg }: Place): Promise<{ holder: Holder | undefined } | undefined> =>
    context.link.where(callId, leg).then(
      (holder) => ({ holder }),
      () => undefined,
    );

  function settle(entry: Waiting, key: string, each: (kept: Kept) => void): void {
    if (entry.over) return;
    entry.over = true;
    waiting.delete(key);
    room.leave(entry.unproven);
    for (const kept of entry.kept) {
      room.remove(kept.message, entry.unproven);
      each(kept);
    }
  }

  /** What a phone is told while it waits: 100 to a re-INVITE, and of a BYE that we know. */
  function soothe(entry: Waiting, request: SipRequest, kept: Kept): void {
    if (request.method === 'INVITE' && !isBeginning(request)) {
      const { peer, source } = kept.arrival;
      context.clock.after(LOOK_AGAIN_MS, () => entry.over || peer.send(formatResponse(request, source, 100), () => {}));
    } else if (request.method === 'BYE') {
      context.clock.after(BYE_PATIENCE_MS, () => {
        if (entry.over || entry.nobody) return;
        entry.kept = entry.kept.filter((other) => other !== kept);
        room.remove(kept.message, entry.unproven);
        giveUp(entry, kept);
      });
    }
  }

  /**
   * Another edge forwarded it by a memory that is wrong. Nothing is forwarded twice: a phone sends it again over UDP,
   * whereupon that edge asks; over TCP nobody does, so it is answered.
   */
  function misled(entry: Waiting, kept: Kept): void {
    if (kept.arrival.peer.transport !== 'udp') giveUp(entry, kept);
  }

  /** Here and now, whatever comes of it. */
  function deliver({ message, arrival }: Kept): void {
    const settled = { ...arrival, settled: true };
    if (message.kind === 'request') context.transactions.receiveRequest(message, settled);
    else context.transactions.receiveResponse(message, settled);
  }

  function giveUp({ nobody, leg, callId }: Place & { nobody: boolean }, kept: Kept): void {
    const { message, arrival } = kept;
    if (message.kind === 'response') return deliver(kept);
    if (isBeginning(message)) return;
    if (nobody) deliver(kept);
    else unanswered(context, { callId, leg }, message, arrival);
  }

  return {
    request(request, arrival) {
      if (arrival.settled) return false;
      const place = placeOf(context, request, arrival);
      if (!place || isHeld(place)) return false;
      take(place, keptOf(request, arrival));
      return true;
    },
    response(response, arrival) {
      if (arrival.settled) return false;
      const named = verifyTag(context.secret, textParamOf(response.from.params, 'tag') ?? '');
      if (!named || isHeld(named)) return false;
      take({ ...named, unproven: false }, keptOf(response, arrival));
      return true;
    },
    invite(callId, request, arrival, holder) {
      if (context.peers.lives(holder)) holders.remember(`${callId}/0`, holder);
      take({ callId, leg: 0, unproven: false }, keptOf(request, arrival));
    },
  };
}

const tagOfTo = (request: SipRequest) => textParamOf(request.to.params, 'tag');
const isBeginning = (request: SipRequest) => request.method === 'INVITE' && !tagOfTo(request);

/** The leg that a request names, by our tag or as only we can derive it; undefined where it names none of ours. */
function placeOf(context: Context, request: SipRequest, arrival: Arrival): Place | undefined {
  const tag = tagOfTo(request);
  if (tag) {
    // What is held here is found without computing a mac.
    const named = parseLegUuid(tag.split('.', 1)[0]!);
    if (!named || context.calls.get(named.callId)?.legs.has(named.leg)) return undefined;
    const proven = verifyTag(context.secret, tag);
    return proven && { ...proven, unproven: false };
  }
  if (request.method !== 'CANCEL' && request.method !== 'INVITE') return undefined;
  // An INVITE begins a call here, unless another edge says that it began there, or took it over from us.
  if (request.method === 'INVITE' && !arrival.forwarded && context.dropped.size === 0) return undefined;
  const callId = callIdFor(context, request);
  const wasOurs = context.dropped.has(callId);
  if (request.method === 'INVITE' && !arrival.forwarded && !wasOurs) return undefined;
  return { callId, leg: 0, unproven: !wasOurs };
}
