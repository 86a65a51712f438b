// Holds a leg that a lost edge held: from its INVITE while that was not answered for good, from its dialog afterwards.
// What can't be held is answered by its end: no dialog, or a connection that died with its edge.

import type { CallEvent, FactOf } from '@opentact/proto';
import { type CallerLeg, type EdgeCall, type Leg, newCalleeLeg, newCallerLeg, setAnswered } from '../edge/call.ts';
import {
  type CallKeeping,
  type Context,
  endLeg,
  forgetWhenOver,
  letGoOfInvite,
  namesOf,
  report,
  tagOf,
} from '../edge/context.ts';
import { type Dialog, dialogOfCallee } from '../stack/dialog/dialog.ts';
import { GrammarFault } from '../stack/message/grammar.ts';
import type { SipRequest, SipResponse } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { answerPort } from '../stack/transport/udp.ts';
import { reconnect, sendWithin } from '../uac/in-dialog-request.ts';
import { callLine } from '../uas/arrival.ts';
import { cancelled, repeatAnswer } from '../uas/caller.ts';
import { dialogOfRecord, sourceOfRecord } from './dialog-record.ts';

type Adopt = CallEvent<FactOf<'AdoptRequested'>>;

export async function adopt(context: Context, call: EdgeCall, ask: Adopt): Promise<void> {
  call.adoptedAt = Math.max(call.adoptedAt, ask.seq);
  call.told = true;
  const known = call.legs.get(ask.leg);
  // Its end was told, which answers this as well.
  if (known?.state === 'ended' || call.strangers.has(ask.leg)) return;
  const leg = known ?? (await held(context, call, ask));
  if (!leg) return;
  leg.lastSeq = Math.max(leg.lastSeq, ask.seq);
  count(context, call, ask);
  report(context, call.id, { type: 'LegAdopted', requestId: ask.seq, leg: ask.leg });
  // What came here by itself after the other edge died may still have to be answered as that edge did.
  if (leg.state === 'arrived' && ask.answer > 0) repeatAnswer(context, leg, ask.answer, ask.answerSdp);
  else if (leg.dialog && leg.state === 'answered' && leg.peer?.transport === 'udp') probeDialog(context, leg, ask.seq);
}

/** The leg, set up and entered; undefined where it can't be held, which was said. */
async function held(context: Context, call: EdgeCall, ask: Adopt): Promise<Leg | undefined> {
  const request = ask.leg === 0 && ask.invite !== '' ? inviteOf(ask) : undefined;
  const dialog = ask.dialog ? dialogOfRecord(ask.dialog) : request && early(request, tagOf(context, call.id, ask.leg));
  if (!dialog) return void lost(context, call, ask, 'no-dialog');
  context.trace.open(call.id, dialog.callId);
  const peer = ask.dialog ? peerOf(context, ask.dialog.transport, ask.dialog.peerAddress) : undefined;
  const leg = request ? await withInvite(context, call, ask, request, dialog) : withDialog(call, ask, dialog, peer);
  if (!leg) return void lost(context, call, ask, 'transport');
  leg.dialog = dialog;
  leg.peer ??= peer;
  call.legs.set(ask.leg, leg);
  return leg;
}

function inviteOf(ask: Adopt): SipRequest | undefined {
  const message = parseMessage(Buffer.from(ask.invite, 'latin1'));
  return message.kind === 'request' && message.method === 'INVITE' ? message : undefined;
}

function early(request: SipRequest, tag: string): Dialog | undefined {
  try {
    return dialogOfCallee(request, tag);
  } catch (error) {
    if (error instanceof GrammarFault) return undefined;
    throw error;
  }
}

/** How the phone is reached. Its connection ended with the other edge, unless that edge had it from us. */
function peerOf(context: Pick<Context, 'network'>, transport: string, address: string): Peer | undefined {
  const from = sourceOfRecord(transport, address);
  if (!from) return undefined;
  const { source } = from;
  if (from.transport === 'udp') return context.network.udp(source.address, source.port);
  return context.network.connection(source.address, source.port) ?? closed(source.address, source.port);
}

/** A connection that is no more: whoever wants to send must open another. */
const closed = (address: string, port: number): Peer => ({
  ...{ transport: 'tcp', address, port, open: false },
  send: (_bytes, failed) => queueMicrotask(() => failed(new Error('the connection died with its edge'))),
});

function withDialog(call: EdgeCall, ask: Adopt, dialog: Dialog, peer: Peer | undefined): Leg | undefined {
  if (!peer) return undefined;
  if (ask.target === '') {
    const leg = newCallerLeg(call, dialog.localTag, undefined);
    leg.state = 'answered';
    return leg;
  }
  const { seq, callId, at, leg: number, target, accountId } = ask;
  const dialled = { type: 'DialRequested', callId, at, leg: number, target, accountId, fromUser: '', sdp: '' } as const;
  const leg = newCalleeLeg(call, dialog.localTag, { ...dialled, seq }, false);
  setAnswered(leg);
  return leg;
}

/** The server transaction again, as if the INVITE had come here. */
async function withInvite(
  context: Context,
  call: EdgeCall,
  ask: Adopt,
  request: SipRequest,
  dialog: Dialog,
): Promise<CallerLeg | undefined> {
  const from = sourceOfRecord(ask.transport, ask.sourceAddress);
  if (!from) return undefined;
  const live = context.transactions.serverOf(request, from.transport);
  const { address, port } = from.source;
  let peer = from.transport === 'udp' ? context.network.udp(address, answerPort(from.source, request.via)) : undefined;
  peer ??= live?.arrival.peer ?? context.network.connection(address, port);
  // Answered, it may be told so again where its Contact says (RFC 3261 18.2.2); before that nobody listens there.
  if (!peer && ask.answer > 0) peer = await reconnect(context, { dialog, cameFrom: closed(address, port) });
  if (!peer) return undefined;
  const server = live ?? context.transactions.restoreServerTransaction(request, { peer, source: from.source });
  const leg = newCallerLeg(call, dialog.localTag, server);
  server.identify(leg.tag, [callLine(call.id)]);
  server.listener = { cancelled: (cancel) => cancelled(context, leg, cancel), ended: () => letGoOfInvite(leg) };
  // The other edge may have died just before it said so.
  if (!live && ask.answer === 0) server.respond(100);
  return leg;
}

/** Does the phone still know the dialog? It may have hung up while nobody heard it (architecture section 6). */
function probeDialog(context: Context, leg: Leg, seq: number): void {
  const gone = () => {
    const end = { by: 'peer', status: 0, q850: 41, reason: 'no-dialog' };
    void endLeg(context, leg, { type: 'LegEnded', leg: leg.number, ...end });
  };
  const own = { method: 'OPTIONS', names: namesOf(context, leg.call.id, seq, 0) };
  const response = ({ status }: SipResponse) => {
    if (status === 481 || status === 408) gone();
  };
  sendWithin(context, leg, own, { response, failed: gone });
}

/** The call takes its account's place, however many there are: it lives already. */
function count(context: Pick<Context, 'limits'>, call: EdgeCall, ask: Adopt): void {
  call.accountId = ask.accountId;
  if (!call.counted) call.counted = context.limits.enter(ask.accountId, 0);
}

function lost(context: CallKeeping, call: EdgeCall, ask: Adopt, reason: 'no-dialog' | 'transport'): void {
  const end = { by: 'us', status: 0, q850: 41, reason };
  call.strangers.add(ask.leg);
  report(context, call.id, { type: 'LegEnded', leg: ask.leg, ...end });
  forgetWhenOver(context, call);
}
