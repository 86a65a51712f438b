// A leg that we dial: INVITE, its answers of one phone or several, digest, CANCEL.
// Each try has names of its own from the story: branch and CSeq by `seq` and attempt.

import { type CallEvent, type FactOf, sipCallIdOf } from '@opentact/proto';
import type { Dialog } from '../stack/dialog/dialog.ts';
import { type ForkOutput, forksOf, forkTransition } from '../stack/dialog/forks.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import type { SipResponse } from '../stack/message/message.ts';
import { cancelOf, formatOwnRequest, type OwnRequest } from '../stack/message/own-request.ts';
import type { ClientListener } from '../stack/transaction/layer.ts';
import { GIVE_UP_MS } from '../stack/transaction/timers.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { accountOf } from './accounts.ts';
import { type CalleeLeg, type EdgeCall, type Leg, newCalleeLeg } from './call.ts';
import { dialReason, q850Of, reasonHeader } from './causes.ts';
import { ALLOW, type Context, contactLine, endLeg, hostPort, namesOf, report, tagOf, viaOf } from './context.ts';
import { recordOf } from './dialog-record.ts';
import { DIALS_UNLEARNT } from './limits.ts';
import { proofOf } from './proof.ts';
import { findTarget, type Target } from './target.ts';
import { acknowledge, sendIn, wayBack } from './within.ts';

/** Above this a request over UDP may be cut on the way (RFC 3261 18.1.1). */
const UDP_BYTES_MAX = 1_300;
const ATTEMPTS_MAX = 4;

type Dial = CallEvent<FactOf<'DialRequested'>>;

/** `resumed`: another edge may have sent the INVITE before; then this one is its retransmission, whoever waits for it. */
export async function dial(context: Context, call: EdgeCall, ask: Dial, resumed: boolean): Promise<void> {
  if (call.legs.has(ask.leg)) return;
  const leg = newCalleeLeg(call, tagOf(context, call.id, ask.leg), ask);
  leg.resumed = resumed;
  call.legs.set(ask.leg, leg);
  const account = await accountOf(context, ask.accountId).catch(() => undefined);
  if (over(leg)) return;
  // A call that we begin takes its account's place here; one that came in has taken it.
  if (ask.leg === 0 && !call.counted) {
    call.accountId = ask.accountId;
    call.counted = context.limits.enter(ask.accountId, resumed ? 0 : (account?.callsMax ?? 0));
    if (!call.counted) return fail(context, leg, 0, 21, 'call-limit');
  }
  const max = account?.dialsPerMinuteMax ?? call.dialsPerMinuteMax ?? DIALS_UNLEARNT;
  if (!context.limits.dial(ask.accountId, max, context.clock.nowMs()) && !resumed)
    return fail(context, leg, 0, 21, 'dial-limit');
  const target = await findTarget(context, call, ask);
  if (leg.state === 'ended') return;
  if (leg.hangup && !resumed) return fail(context, leg, 0, 16, 'cancelled');
  if ('reason' in target) return fail(context, leg, 0, target.q850, target.reason);
  if (target.trunk) leg.trunk = target.trunk;
  leg.target = target;
  leg.state = 'dialling';
  context.trace.open(call.id, sipCallIdOf(context.secret, call.id, ask.leg));
  const peer = await peerFor(context, leg, target);
  if (leg.state !== 'dialling') return;
  if (!peer) return fail(context, leg, 0, 41, 'unreachable');
  leg.peer = peer;
  if (leg.hangup && !resumed) return fail(context, leg, 0, 16, 'cancelled');
  invite(context, leg, target, peer, []);
}

/** It may have been hung up while something was asked; TypeScript thinks it can't. */
const over = (leg: CalleeLeg) => leg.state === 'ended';

/** UDP unless told otherwise or too large; a TCP that can't be had falls back to UDP (RFC 3261 18.1.1). */
async function peerFor(context: Context, leg: CalleeLeg, target: Target): Promise<Peer | undefined> {
  const { address, port } = target.endpoint;
  const udp = context.network.udp(address, port);
  if (target.transport === 'udp') return udp;
  const size = formatOwnRequest(compose(context, leg, target, udp, []).invite).length;
  if (target.transport === undefined && size <= UDP_BYTES_MAX) return udp;
  return context.network.tcp(address, port).catch(() => (target.transport === 'tcp' ? undefined : udp));
}

function compose(context: Context, leg: CalleeLeg, target: Target, peer: Peer, auth: readonly HeaderLine[]) {
  const { call, ask, tag, attempt } = leg;
  const names = namesOf(context, call.id, ask.seq, attempt);
  const user = ask.fromUser.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,/]/g, (char) => encodeURIComponent(char));
  const invite: OwnRequest = {
    method: 'INVITE',
    uriText: target.uriText,
    via: viaOf(context, peer.transport, names.branch),
    from: `<sip:${user === '' ? '' : `${user}@`}${hostPort(context)}>;tag=${tag}`,
    to: `<${target.uriText.replace(/;.*$/, '')}>`,
    callId: sipCallIdOf(context.secret, call.id, leg.number),
    cseq: names.cseq,
    routes: [],
    lines: [contactLine(context, tag, peer.transport), ALLOW, ...target.lines, ...auth],
    ...(ask.sdp ? { body: { type: 'application/sdp', bytes: Buffer.from(ask.sdp) } } : {}),
  };
  return { invite, names };
}

function invite(context: Context, leg: CalleeLeg, target: Target, peer: Peer, auth: readonly HeaderLine[]): void {
  const { invite: request, names } = compose(context, leg, target, peer, auth);
  begin(leg, request);
  context.transactions.send(request, names.branch, peer, listenerOf(context, leg, target, peer));
}

function begin(leg: CalleeLeg, request: OwnRequest): void {
  leg.invite = request;
  leg.forks = forksOf(request);
  leg.heard = false;
}

function listenerOf(context: Context, leg: CalleeLeg, target: Target, peer: Peer): ClientListener {
  return {
    response: (response) => answered(context, leg, target, peer, response),
    failed: () => fail(context, leg, 0, leg.hangup ? 16 : 18, leg.hangup ? 'cancelled' : 'unreachable'),
  };
}

/**
 * The edge that was lost had proved itself to a carrier already: an answer came to a later try than ours. That try is
 * ours from now on; true where it is.
 */
export function overtaken(context: Context, leg: Leg | undefined, seq: number, attempt: number): boolean {
  if (leg?.kind !== 'callee' || leg.state !== 'dialling' || !leg.peer || !leg.target) return false;
  if (!leg.resumed || leg.ask.seq !== seq || attempt <= leg.attempt) return false;
  context.transactions.abandon(namesOf(context, leg.call.id, seq, leg.attempt).branch, 'INVITE');
  leg.attempt = attempt;
  leg.challenged = true;
  const { invite: request, names } = compose(context, leg, leg.target, leg.peer, []);
  begin(leg, request);
  context.transactions.expect(request, names.branch, leg.peer, listenerOf(context, leg, leg.target, leg.peer));
  return true;
}

function answered(context: Context, leg: CalleeLeg, target: Target, peer: Peer, response: SipResponse): void {
  const { status } = response;
  leg.heard = true;
  if (status < 300) {
    const step = forkTransition(leg.forks!, response);
    leg.forks = step.forks;
    for (const output of step.outputs) forked(context, leg, peer, output);
    if (status < 200 && leg.hangup) cancelDial(context, leg);
    return;
  }
  if (leg.state !== 'dialling') return;
  const names = namesOf(context, leg.call.id, leg.ask.seq, leg.attempt);
  const auth = leg.attempt + 1 < ATTEMPTS_MAX ? proofOf(leg, response, 'INVITE', names) : undefined;
  // A phone that rings since the edge before us gave proof can be cancelled only by the same try.
  if (auth && (!leg.hangup || leg.resumed)) {
    leg.challenged = true;
    leg.attempt++;
    invite(context, leg, target, peer, [auth]);
    return;
  }
  const { reason, q850 } = dialReason(status);
  fail(context, leg, status, q850Of(response) || q850, reason);
}

function forked(context: Context, leg: CalleeLeg, peer: Peer, output: ForkOutput): void {
  switch (output.type) {
    case 'rang':
      if (leg.rang || leg.state !== 'dialling') return;
      leg.rang = true;
      report(context, leg.call.id, { type: 'LegRang', requestId: leg.ask.seq, leg: leg.number, status: output.status });
      return;
    case 'answered':
      return keep(context, leg, peer, output.dialog, output.response);
    case 'acknowledge':
      return confirm(context, leg, peer, output.dialog);
    case 'drop':
      return drop(context, leg, peer, output.dialog, output.hangUp);
    case 'unusable':
      context.log.warn({ callId: leg.call.id, leg: leg.number, reason: output.reason }, 'unusable answer');
      return fail(context, leg, 0, 111, 'unreachable');
  }
}

function keep(context: Context, leg: CalleeLeg, peer: Peer, dialog: Dialog, response: SipResponse): void {
  // Given up before the answer came: nobody waits for it, so it is a fork like any other.
  if (leg.state !== 'dialling') return drop(context, leg, peer, dialog, true);
  leg.dialog = dialog;
  leg.state = 'answered';
  leg.hangup = undefined;
  confirm(context, leg, peer, dialog);
  const sdp = response.body.toString('utf8');
  const answered = { type: 'LegAnswered', requestId: leg.ask.seq, leg: leg.number, sdp } as const;
  report(context, leg.call.id, { ...answered, ...recordOf(leg) });
}

function confirm(context: Context, leg: CalleeLeg, peer: Peer, dialog: Dialog): void {
  const { call, ask, attempt } = leg;
  acknowledge(context, dialog, peer, namesOf(context, call.id, ask.seq, attempt, `ack/${dialog.remoteTag}`));
}

function drop(context: Context, leg: CalleeLeg, peer: Peer, dialog: Dialog, hangUp: boolean): void {
  confirm(context, leg, peer, dialog);
  if (!hangUp) return;
  context.log.info({ callId: leg.call.id, leg: leg.number }, 'another phone answered as well and was hung up');
  const names = namesOf(context, leg.call.id, leg.ask.seq, 15, `fork/${dialog.remoteTag}`);
  const own = { method: 'BYE', names, lines: [['Reason', reasonHeader(26)]] as HeaderLine[] };
  sendIn(context, dialog, wayBack(context, dialog, peer), own, { response() {}, failed() {} });
}

/** CANCEL, once and not before something was heard (RFC 3261 9.1). Nobody answering it ends the leg all the same. */
export function cancelDial(context: Context, leg: CalleeLeg): void {
  if (!leg.heard || leg.cancelSent || leg.state !== 'dialling' || !leg.invite || !leg.peer) return;
  leg.cancelSent = true;
  const { branch } = namesOf(context, leg.call.id, leg.ask.seq, leg.attempt);
  const lines: HeaderLine[] = [['Reason', reasonHeader(leg.hangup?.q850 || 16)]];
  context.transactions.send(cancelOf(leg.invite, lines), branch, leg.peer, { response() {}, failed() {} });
  context.clock.after(GIVE_UP_MS, () => {
    if (leg.state !== 'dialling') return;
    context.transactions.abandon(branch, 'INVITE');
    fail(context, leg, 0, 16, 'cancelled');
  });
}

function fail(context: Context, leg: CalleeLeg, status: number, q850: number, reason: string): void {
  const { number, ask } = leg;
  void endLeg(context, leg, { type: 'DialFailed', requestId: ask.seq, leg: number, status, q850, reason });
}
