// Messages about dialogs that aren't here: the owner of the call says which edge has the dialog, and the message goes there
// whole. Nothing is asked about what is here. It refuses to forward twice, and to keep more than a few messages of few legs
// for longer than PATIENCE_MS. 481 is said only where the owner knows no such leg.

import { parseLegUuid, verifyTag } from '@opentact/proto';
import { type Context, type Forwarding, REMEMBER_MS } from '../edge/context.ts';
import type { EdgeInstance } from '../edge/port.ts';
import { formatResponse } from '../stack/message/build.ts';
import type { SipMessage, SipRequest, SipResponse } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import type { Arrival } from '../stack/transport/peer.ts';
import { callIdFor } from '../uas/arrival.ts';
import { createDialogLocations, type DialogLocations } from './dialog-locations.ts';
import { respondToOrphanRequest } from './orphan-request.ts';
import { createPendingMessageQuota, type PendingMessageQuota } from './pending-message-quota.ts';

export const PATIENCE_MS = 2_000;
/** A BYE waits no longer for the edge that has its dialog than for its log. */
const BYE_PATIENCE_MS = 500;
const LOOK_AGAIN_MS = 100;
const MESSAGES_PER_LEG_MAX = 8;

type Kept = { readonly message: SipMessage; readonly arrival: Arrival; readonly since: number };
type Place = { readonly callId: string; readonly leg: number; readonly unproven: boolean };
/** `nobody`: by the owner's last word there is no such leg. */
type Waiting = Place & { readonly key: string; kept: Kept[]; nobody: boolean; over: boolean };

type State = {
  readonly context: Forwarding;
  readonly waiting: Map<string, Waiting>;
  readonly quota: PendingMessageQuota;
  readonly locations: DialogLocations;
};

export type DialogForwarder = {
  /** True: the request belongs to a leg that isn't held here, and is dealt with. */
  request(request: SipRequest, arrival: Arrival): boolean;
  /** As `request`, for a response to a request of ours. */
  response(response: SipResponse, arrival: Arrival): boolean;
  /** The INVITE of a call that began at another edge; where nobody holds that call, it is dropped. */
  invite(callId: string, request: SipRequest, arrival: Arrival, holder: EdgeInstance): void;
};

/** @param isAlone no other edge can ever share the address. */
export function createDialogForwarder(context: Forwarding, isAlone: boolean): DialogForwarder {
  const locations = createDialogLocations(context);
  const state: State = { context, waiting: new Map(), quota: createPendingMessageQuota(), locations };
  const isLone = loneliness(context, isAlone);
  const keptOf = (message: SipMessage, arrival: Arrival) => ({ message, arrival, since: context.clock.nowMs() });
  return {
    request(request, arrival) {
      if (arrival.settled) return false;
      const place = placeOf(context, request, arrival);
      if (!place || isHeld(context, place)) return false;
      // Nobody else could have heard its INVITE.
      if (place.unproven && !arrival.forwarded && isLone()) return false;
      take(state, place, keptOf(request, arrival));
      return true;
    },
    response(response, arrival) {
      if (arrival.settled) return false;
      const named = verifyTag(context.secret, textParamOf(response.from.params, 'tag') ?? '');
      if (!named || isHeld(context, named)) return false;
      take(state, { ...named, unproven: false }, keptOf(response, arrival));
      return true;
    },
    invite(callId, request, arrival, holder) {
      if (context.cluster.lives(holder)) locations.remember(`${callId}/0`, holder);
      take(state, { callId, leg: 0, unproven: false }, keptOf(request, arrival));
    },
  };
}

/** Tells whether no other edge lived lately: one that died may have heard an INVITE whose CANCEL comes here. */
function loneliness(context: Pick<Context, 'clock' | 'cluster'>, isAlone: boolean): () => boolean {
  let companyAt = context.clock.nowMs();
  return () => {
    if (isAlone) return true;
    if (context.cluster.others()) companyAt = context.clock.nowMs();
    return context.clock.nowMs() - companyAt > REMEMBER_MS;
  };
}

function isHeld(context: Pick<Context, 'calls'>, { callId, leg }: Pick<Place, 'callId' | 'leg'>): boolean {
  const found = context.calls.get(callId)?.legs.get(leg);
  // A dial that is asked again may be answered before it goes out again: until then nothing here would know the answer.
  return found !== undefined && !(found.kind === 'callee' && found.state === 'preparing');
}

/** To the edge that has the dialog, or kept; where the quota is used up, dealt with here and now. */
function take(state: State, place: Place, kept: Kept): void {
  const key = `${place.callId}/${place.leg}`;
  const holder = kept.arrival.forwarded ? undefined : state.locations.of(key, kept.message);
  if (holder) forward(state, place, kept, holder);
  // Without our tag it proves nothing, and is answered as any stranger's.
  else if (!keep(state, place, key, kept)) giveUp(state.context, { ...place, nobody: place.unproven }, kept);
}

function forward(state: State, place: Place, kept: Kept, to: EdgeInstance): void {
  const { context, locations } = state;
  const { message, arrival } = kept;
  const whole = { bytes: message.raw, transport: arrival.peer.transport, source: arrival.source };
  const { node, instanceId } = to;
  context.cluster.forward({ node, instanceId }, whole, () => {
    locations.forget(`${place.callId}/${place.leg}`);
    if (context.clock.nowMs() - kept.since > PATIENCE_MS) giveUp(context, { ...place, nobody: place.unproven }, kept);
    else context.clock.after(LOOK_AGAIN_MS, () => take(state, place, kept));
  });
}

/** False where the quota is used up. */
function keep(state: State, place: Place, key: string, kept: Kept): boolean {
  const { quota, waiting } = state;
  let entry = waiting.get(key);
  if (!entry) {
    if (!quota.enter(place.unproven)) return false;
    entry = { ...place, key, kept: [], nobody: false, over: false };
    waiting.set(key, entry);
    begin(state, entry);
  }
  const { raw } = kept.message;
  const { unproven } = entry;
  if (entry.kept.some(({ message }) => message.raw.equals(raw))) return true; // it came again meanwhile
  if (entry.kept.length >= MESSAGES_PER_LEG_MAX || !quota.add(kept.message, kept.arrival.source.address, unproven))
    return false;
  entry.kept.push(kept);
  if (kept.message.kind === 'request') sendProvisional(state, entry, kept.message, kept);
  return true;
}

function begin(state: State, entry: Waiting): void {
  const { context } = state;
  context.clock.after(PATIENCE_MS, () => settle(state, entry, (kept) => giveUp(context, entry, kept)));
  void locate(state, entry);
}

/** Asks the owner until it says where the dialog is. */
async function locate(state: State, entry: Waiting): Promise<void> {
  const { context, locations } = state;
  const here = (kept: Kept) => deliver(context, kept);
  if (entry.over) return;
  if (isHeld(context, entry)) return settle(state, entry, here);
  const found = await ownersWord(context, entry);
  if (entry.over) return;
  if (isHeld(context, entry)) return settle(state, entry, here);
  const { holder } = found ?? {};
  const isOurs = holder?.node === context.self.node && holder.instanceId === context.self.instanceId;
  if (holder && !isOurs && context.cluster.lives(holder)) {
    return settle(state, entry, (kept) => {
      if (kept.arrival.forwarded) return misrouted(context, entry, kept);
      locations.remember(entry.key, holder, kept.message);
      forward(state, entry, kept, holder);
    });
  }
  // Where it is ours, it is on its way here.
  entry.nobody = found !== undefined && holder === undefined;
  // A CANCEL may be faster than the first word about its INVITE.
  if (entry.nobody && !entry.unproven) return settle(state, entry, (kept) => giveUp(context, entry, kept));
  context.clock.after(LOOK_AGAIN_MS, () => void locate(state, entry));
}

/** Undefined where no owner has a word. */
function ownersWord(
  { link }: Pick<Context, 'link'>,
  { callId, leg }: Place,
): Promise<{ holder: EdgeInstance | undefined } | undefined> {
  return link.where(callId, leg).then(
    (holder) => ({ holder }),
    () => undefined,
  );
}

function settle({ waiting, quota }: State, entry: Waiting, each: (kept: Kept) => void): void {
  if (entry.over) return;
  entry.over = true;
  waiting.delete(entry.key);
  quota.leave(entry.unproven);
  for (const kept of entry.kept) {
    quota.remove(kept.message, kept.arrival.source.address, entry.unproven);
    each(kept);
  }
}

/** What a phone is told while it waits: 100 to a re-INVITE, and of a BYE that we know. */
function sendProvisional({ context, quota }: State, entry: Waiting, request: SipRequest, kept: Kept): void {
  if (request.method === 'INVITE' && !isBeginning(request)) {
    const { peer, source } = kept.arrival;
    context.clock.after(LOOK_AGAIN_MS, () => entry.over || peer.send(formatResponse(request, source, 100), () => {}));
  } else if (request.method === 'BYE') {
    context.clock.after(BYE_PATIENCE_MS, () => {
      if (entry.over || entry.nobody) return;
      entry.kept = entry.kept.filter((other) => other !== kept);
      quota.remove(kept.message, kept.arrival.source.address, entry.unproven);
      giveUp(context, entry, kept);
    });
  }
}

/**
 * Another edge forwarded it by a memory that is wrong. Nothing is forwarded twice: a phone sends it again over UDP,
 * whereupon that edge asks; over TCP nobody does, so it is answered.
 */
function misrouted(context: Forwarding, entry: Waiting, kept: Kept): void {
  if (kept.arrival.peer.transport !== 'udp') giveUp(context, entry, kept);
}

/** Here and now, whatever comes of it. */
function deliver({ transactions }: Pick<Context, 'transactions'>, { message, arrival }: Kept): void {
  const settled = { ...arrival, settled: true };
  if (message.kind === 'request') transactions.receiveRequest(message, settled);
  else transactions.receiveResponse(message, settled);
}

function giveUp(context: Forwarding, { nobody, leg, callId }: Place & { nobody: boolean }, kept: Kept): void {
  const { message, arrival } = kept;
  if (message.kind === 'response') return deliver(context, kept);
  if (isBeginning(message)) return;
  if (nobody) deliver(context, kept);
  else respondToOrphanRequest(context, { callId, leg }, message, arrival);
}

const tagOfTo = (request: SipRequest) => textParamOf(request.to.params, 'tag');
const isBeginning = (request: SipRequest) => request.method === 'INVITE' && !tagOfTo(request);

/** The leg that a request names, by our tag or as only we can derive it; undefined where it names none of ours. */
function placeOf(
  context: Pick<Context, 'calls' | 'secret' | 'tombstones'>,
  request: SipRequest,
  arrival: Arrival,
): Place | undefined {
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
  if (request.method === 'INVITE' && !arrival.forwarded && context.tombstones.size === 0) return undefined;
  const callId = callIdFor(context, request);
  const wasOurs = context.tombstones.has(callId);

  if (request.method === 'INVITE' && !arrival.forwarded && !wasOurs) return undefined;
  return { callId, leg: 0, unproven: !wasOurs };
}
