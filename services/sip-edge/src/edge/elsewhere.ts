// Messages about legs that aren't held here: the owner of the call says which edge holds the leg, and the message goes
// there whole. Nothing is asked about what is held here. It refuses to forward twice, and to keep more than a few
// messages of few legs for longer than PATIENCE_MS.

import { parseLegUuid, verifyTag } from '@opentact/proto';
import { formatResponse } from '../stack/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { callIdFor } from './arrival.ts';
import type { Context } from './context.ts';
import type { Holder } from './port.ts';
import { unanswered } from './unheld.ts';

export const PATIENCE_MS = 2_000;
/** A BYE waits no longer for a holder than for its log. */
const BYE_PATIENCE_MS = 500;
const LOOK_AGAIN_MS = 100;
const LEGS_WAITING_MAX = 2_000;
/** A CANCEL without our tag proves nothing: whoever sends many must not take the room of others. */
const UNPROVEN_WAITING_MAX = 200;
const MESSAGES_PER_LEG_MAX = 8;
const HOLDERS_MAX = 20_000;
const HOLDER_FRESH_MS = 60_000;

type Kept = { readonly message: SipMessage; readonly arrival: Arrival; readonly since: number };
type Place = { readonly callId: string; readonly leg: number; readonly unproven?: boolean };
/** `nobody`: by the owner's last word no edge holds it, or this one that doesn't. */
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
  let unproven = 0;
  const holders = new Map<string, { holder: Holder; until: number }>();
  const keptOf = (message: SipMessage, arrival: Arrival) => ({ message, arrival, since: context.clock.nowMs() });
  const isHeld = ({ callId, leg }: Place) => context.calls.get(callId)?.legs.has(leg) === true;

  function holderOf(key: string): Holder | undefined {
    const known = holders.get(key);
    if (!known) return undefined;
    if (known.until > context.clock.nowMs() && context.peers.lives(known.holder)) return known.holder;
    holders.delete(key);
    return undefined;
  }

  function remember(key: string, holder: Holder): void {
    holders.delete(key);
    holders.set(key, { holder, until: context.clock.nowMs() + HOLDER_FRESH_MS });
    if (holders.size > HOLDERS_MAX) holders.delete(holders.keys().next().value!);
  }

  /** False: there is no room, so that it must be dealt with here and now. */
  function take(place: Place, kept: Kept): boolean {
    const key = `${place.callId}/${place.leg}`;
    const holder = kept.arrival.forwarded ? undefined : holderOf(key);
    if (holder) forward(place, kept, holder);
    else return keep(place, key, kept);
    return true;
  }

  function forward(place: Place, kept: Kept, { node, boot }: Holder): void {
    const { message, arrival } = kept;
    const { transport } = arrival.peer;
    context.peers.forward({ node, boot }, { bytes: message.raw, transport, source: arrival.source }, () => {
      holders.delete(`${place.callId}/${place.leg}`);
      if (context.clock.nowMs() - kept.since > PATIENCE_MS) giveUp({ ...place, nobody: true }, kept);
      else context.clock.after(LOOK_AGAIN_MS, () => take(place, kept) || giveUp({ ...place, nobody: true }, kept));
    });
  }

  function keep(place: Place, key: string, kept: Kept): boolean {
    let entry = waiting.get(key);
    if (!entry) {
      if (waiting.size >= LEGS_WAITING_MAX || (place.unproven && unproven >= UNPROVEN_WAITING_MAX)) return false;
      if (place.unproven) unproven++;
      entry = { ...place, kept: [], nobody: false, over: false };
      waiting.set(key, entry);
      begin(entry, key, kept.arrival.forwarded === true);
    }
    const { raw } = kept.message;
    if (entry.kept.some(({ message }) => message.raw.equals(raw))) return true; // it came again meanwhile
    if (entry.kept.length >= MESSAGES_PER_LEG_MAX) return false;
    entry.kept.push(kept);
    if (kept.message.kind === 'request') soothe(entry, kept.message, kept);
    return true;
  }

  function begin(entry: Waiting, key: string, local: boolean): void {
    context.clock.after(PATIENCE_MS, () => settle(entry, key, (kept) => giveUp(entry, kept)));
    void look(entry, key, local);
  }

  /** `local`: another edge believes that the leg is here, so that it can only be on its way. */
  async function look(entry: Waiting, key: string, local: boolean): Promise<void> {
    if (entry.over) return;
    if (isHeld(entry)) return settle(entry, key, deliver);
    const found = local ? { holder: context.self } : await ownersWord(entry);
    if (entry.over) return;
    if (isHeld(entry)) return settle(entry, key, deliver);
    const { holder } = found ?? {};
    const isOurs = holder?.node === context.self.node && holder.boot === context.self.boot;
    if (holder && !isOurs && context.peers.lives(holder)) {
      remember(key, holder);
      return settle(entry, key, (kept) => forward(entry, kept, holder));
    }
    entry.nobody = found !== undefined && (holder === undefined || isOurs);
    // A CANCEL may be faster than the first word about its INVITE.
    if (found && !holder && !entry.unproven) return settle(entry, key, (kept) => giveUp(entry, kept));
    context.clock.after(LOOK_AGAIN_MS, () => void look(entry, key, local));
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
    if (entry.unproven) unproven--;
    for (const kept of entry.kept) each(kept);
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
        giveUp(entry, kept);
      });
    }
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
      return place !== undefined && !isHeld(place) && take(place, keptOf(request, arrival));
    },
    response(response, arrival) {
      if (arrival.settled) return false;
      const place = verifyTag(context.secret, textParamOf(response.from.params, 'tag') ?? '');
      return place !== undefined && !isHeld(place) && take(place, keptOf(response, arrival));
    },
    invite(callId, request, arrival, holder) {
      if (context.peers.lives(holder)) remember(`${callId}/0`, holder);
      take({ callId, leg: 0 }, keptOf(request, arrival));
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
    return verifyTag(context.secret, tag);
  }
  // An INVITE begins a call here, unless another edge says that it began there.
  if (request.method !== 'CANCEL' && !(request.method === 'INVITE' && arrival.forwarded)) return undefined;
  return { callId: callIdFor(context, request), leg: 0, unproven: true };
}
