// A leg that we dial: INVITE, its answers of one phone or several, digest, CANCEL.
// Each try has names of its own from the story: branch and CSeq by `seq` and attempt.

import { type CallEvent, type FactOf, sipCallIdOf } from '@opentact/proto';
import { accountOf } from '../admission/accounts.ts';
import { DIALS_UNLEARNT } from '../admission/limits.ts';
import { recordOf } from '../cluster/dialog-record.ts';
import {
  type CalleeLeg,
  type DiallingLeg,
  type EdgeCall,
  isDialling,
  isOurs,
  type Leg,
  newCalleeLeg,
  type SentInvite,
  setAnswered,
  startDialling,
  type Target,
} from '../edge/call.ts';
import { dialReason, q850Of, reasonHeader } from '../edge/causes.ts';
import { type Context, endLeg, namesOf, report, tagOf } from '../edge/context.ts';
import { type MediaPeer, mediaPeerOf } from '../edge/media-peer.ts';
import type { Dialog } from '../stack/dialog/dialog.ts';
import { type ForkOutput, forksOf, forkTransition } from '../stack/dialog/forks.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import type { SipResponse } from '../stack/message/message.ts';
import { cancelOf } from '../stack/message/own-request.ts';
import type { ClientListener } from '../stack/transaction/clients.ts';
import { TIMER_B_F_H_MS } from '../stack/transaction/timers.ts';
import type { Peer } from '../stack/transport/peer.ts';
import type { Source } from '../stack/transport/udp.ts';
import { byeBecause } from './bye.ts';
import { digestAuthorization } from './digest-authorization.ts';
import { acknowledge, sendIn } from './in-dialog-request.ts';
import { compose, peerFor } from './invite.ts';
import { learnContacts } from './redirects.ts';
import { findTarget } from './target.ts';

/** Tries of one leg, with proof and at the Contacts of redirections; each has a CSeq number of its own (below 15). */
const ATTEMPTS_MAX = 12;

type Dial = CallEvent<FactOf<'DialRequested'>>;

/** `resumed`: another edge may have sent the INVITE before; then this one is its retransmission, whoever waits for it. */
export async function dial(context: Context, call: EdgeCall, ask: Dial, resumed: boolean): Promise<void> {
  if (call.legs.has(ask.leg)) return;
  const leg = newCalleeLeg(call, tagOf(context, call.id, ask.leg), ask, resumed);
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
  if (over(leg)) return;
  if (leg.hangup && !resumed) return fail(context, leg, 0, 16, 'cancelled');
  if ('reason' in target) return fail(context, leg, 0, target.q850, target.reason);
  aim(leg, target);
  startDialling(leg);
  context.trace.open(call.id, sipCallIdOf(context.secret, call.id, ask.leg));
  const peer = await peerFor(context, leg, target);
  if (!isDialling(leg)) return;
  if (!peer) return fail(context, leg, 0, 41, 'unreachable');
  leg.peer = peer;
  if (leg.hangup && !resumed) return fail(context, leg, 0, 16, 'cancelled');
  invite(context, leg, target, peer, []);
}

function aim(leg: CalleeLeg, target: Target): void {
  leg.toText ??= target.toText;
  leg.trunk = target.trunk && { ...target.trunk, resolved: target.addresses };
}

/** The next Contact of a redirection, where it may be dialled; without one the leg has failed with that status. */
async function redirect(context: Context, leg: CalleeLeg, status: number, q850: number, reason: string): Promise<void> {
  for (;;) {
    const next = leg.redirects.waiting.shift();
    if (next === undefined || leg.attempt + 1 >= ATTEMPTS_MAX) return fail(context, leg, status, q850, reason);
    const target = await findTarget(context, leg.call, { ...leg.ask, target: next });
    const peer = 'reason' in target || over(leg) ? undefined : await peerFor(context, leg, target);
    if (!isDialling(leg) || !isOurs(leg)) return;
    if (leg.hangup) return fail(context, leg, 0, 16, 'cancelled');
    if (!peer || 'reason' in target) continue;
    aim(leg, target);
    leg.peer = peer;
    leg.attempt++;
    return invite(context, leg, target, peer, []);
  }
}

function follow(context: Context, leg: CalleeLeg, status: number, q850: number, reason: string): void {
  redirect(context, leg, status, q850, reason).catch((error: Error) => {
    context.log.error({ callId: leg.call.id, leg: leg.number, error: error.message }, 'a redirection failed');
    fail(context, leg, status, q850, reason);
  });
}

/** It may have been hung up while something was asked; TypeScript thinks it can't. */
const over = (leg: CalleeLeg): boolean => leg.state === 'ended';

function invite(context: Context, leg: DiallingLeg, target: Target, peer: Peer, auth: readonly HeaderLine[]): void {
  const { invite: request, names } = compose(context, leg, target, peer, auth);
  const sent = begin(leg, { request, target, peer, auth });
  context.transactions.send(request, names.branch, peer, listenerOf(context, leg, sent));
}

/** Stands for credentials that another edge gave: nobody here knows them. */
const PROVEN_ELSEWHERE: readonly HeaderLine[] = [
  ['Authorization', ''],
  ['Proxy-Authorization', ''],
];

function begin(leg: DiallingLeg, invite: Pick<SentInvite, 'request' | 'target' | 'peer' | 'auth'>): SentInvite {
  const sent = { ...invite, attempt: leg.attempt, forks: forksOf(invite.request), heard: false };
  leg.dialling.sent = sent;
  return sent;
}

function listenerOf(context: Context, leg: CalleeLeg, sent: SentInvite): ClientListener {
  return {
    response: (response, arrival) => answered(context, leg, sent, { response, source: arrival.source }),
    failed() {
      if (leg.hangup) fail(context, leg, 0, 16, 'cancelled');
      else if (isDialling(leg)) follow(context, leg, 0, 18, 'unreachable');
    },
  };
}

/**
 * The edge that was lost had proved itself to a carrier already: an answer came to a later try than ours. That try is
 * ours from now on; true where it is.
 */
export function overtaken(context: Context, leg: Leg | undefined, seq: number, attempt: number): boolean {
  if (leg?.kind !== 'callee' || !isDialling(leg) || !leg.dialling.sent) return false;
  if (!leg.resumed || leg.ask.seq !== seq || attempt <= leg.attempt) return false;
  context.transactions.abandon(namesOf(context, leg.call.id, seq, leg.attempt).branch, 'INVITE');
  leg.attempt = attempt;
  const { target, peer } = leg.dialling.sent;
  const { invite: request, names } = compose(context, leg, target, peer, []);
  // That edge's proof was refused where it is challenged again.
  const sent = begin(leg, { request, target, peer, auth: PROVEN_ELSEWHERE });
  context.transactions.resumeClientTransaction(request, names.branch, peer, listenerOf(context, leg, sent));
  return true;
}

/** A response, and where it came from. */
type Heard = { readonly response: SipResponse; readonly source: Source };

function answered(context: Context, leg: CalleeLeg, sent: SentInvite, heard: Heard): void {
  const { response, source } = heard;
  sent.heard = true;
  if (response.status >= 300) {
    if (isDialling(leg)) refused(context, leg, sent, heard);
    return;
  }
  const step = forkTransition(sent.forks, response);
  sent.forks = step.forks;
  for (const output of step.outputs) forked(context, leg, sent, output, source);
  if (response.status < 200 && leg.hangup && isDialling(leg)) cancelDial(context, leg);
}

/** Tried again with proof where it was asked for, else at the next Contact; else the leg has failed. */
function refused(context: Context, leg: DiallingLeg, sent: SentInvite, heard: Heard): void {
  const { response } = heard;
  const { status } = response;
  const { target, peer } = sent;
  const { uriText } = sent.request;
  const names = namesOf(context, leg.call.id, leg.ask.seq, sent.attempt);
  const asked = { method: 'INVITE', uriText, peer, names, lines: sent.auth };
  const auth = leg.attempt + 1 < ATTEMPTS_MAX ? digestAuthorization(context, leg, heard, asked) : undefined;
  // A phone that rings since the edge before us gave proof can be cancelled only by the same try.
  if (auth && (!leg.hangup || leg.resumed)) {
    leg.attempt++;
    invite(context, leg, target, peer, auth);
    return;
  }
  const { reason, q850 } = dialReason(status);
  if (status < 400) learnContacts(leg.redirects, uriText, response);
  const cause = q850Of(response) || q850;
  // A 6xx speaks for the callee everywhere.
  if (leg.hangup || status >= 600 || leg.redirects.waiting.length === 0) fail(context, leg, status, cause, reason);
  else follow(context, leg, status, cause, reason);
}

function forked(context: Context, leg: CalleeLeg, sent: SentInvite, output: ForkOutput, source: Source): void {
  const media = mediaPeerOf(source.address, leg.trunk?.media);
  switch (output.type) {
    case 'rang':
      if (!isDialling(leg) || (leg.dialling.rang && output.sdp === '')) return;
      leg.dialling.rang = true;
      tellRinging(context, leg, output, media);
      return;
    case 'answered':
      return keep(context, leg, sent, output, media);
    case 'acknowledge':
      return confirm(context, leg, sent, output.dialog);
    case 'drop':
      return drop(context, leg, sent, output.dialog, output.hangUp);
    case 'unusable':
      context.log.warn({ callId: leg.call.id, leg: leg.number, reason: output.reason }, 'unusable answer');
      drop(context, leg, sent, output.dialog, true);
      return fail(context, leg, 0, 111, 'unreachable');
  }
}

type Ringing = Extract<ForkOutput, { type: 'rang' }>;

/** Told once, and again with the first description of each early dialog. */
function tellRinging(context: Context, leg: CalleeLeg, { status, sdp }: Ringing, media: MediaPeer): void {
  const { number, ask } = leg;
  const answer = sdp === '' ? {} : { sdp };
  report(context, leg.call.id, { type: 'LegRang', requestId: ask.seq, leg: number, status, media, ...answer });
}

type Answer = Extract<ForkOutput, { type: 'answered' }>;

function keep(context: Context, leg: CalleeLeg, sent: SentInvite, { dialog, sdp }: Answer, media: MediaPeer): void {
  // Given up before the answer came: nobody waits for it, so it is a fork like any other.
  if (leg.state !== 'dialling') return drop(context, leg, sent, dialog, true);
  leg.dialog = dialog;
  leg.hangup = undefined;
  setAnswered(leg);
  confirm(context, leg, sent, dialog);
  const answered = { type: 'LegAnswered', requestId: leg.ask.seq, leg: leg.number, sdp, media } as const;
  report(context, leg.call.id, { ...answered, ...recordOf(leg) });
}

function confirm(context: Context, leg: CalleeLeg, { peer, attempt, auth }: SentInvite, dialog: Dialog): void {
  const names = namesOf(context, leg.call.id, leg.ask.seq, attempt, `ack/${dialog.remoteTag}`);
  acknowledge(context, { dialog, cameFrom: peer, leg }, names, auth === PROVEN_ELSEWHERE ? [] : auth);
}

function drop(context: Context, leg: CalleeLeg, sent: SentInvite, dialog: Dialog, hangUp: boolean): void {
  confirm(context, leg, sent, dialog);
  if (!hangUp) return;
  context.log.info({ callId: leg.call.id, leg: leg.number }, 'another phone answered as well and was hung up');
  const bye = byeBecause(context, leg.call.id, leg.ask.seq, `fork/${dialog.remoteTag}`, 26);
  sendIn(context, { dialog, cameFrom: sent.peer, leg }, bye);
}

/** CANCEL, once and not before something was heard (RFC 3261 9.1). Nobody answering it ends the leg all the same. */
export function cancelDial(context: Context, leg: DiallingLeg): void {
  const { sent, cancelSent } = leg.dialling;
  if (!sent?.heard || cancelSent) return;
  leg.dialling.cancelSent = true;
  const { branch } = namesOf(context, leg.call.id, leg.ask.seq, sent.attempt);
  const lines: HeaderLine[] = [['Reason', reasonHeader(leg.hangup?.q850 || 16)]];
  context.transactions.send(cancelOf(sent.request, lines), branch, sent.peer, { response() {}, failed() {} });
  context.clock.after(TIMER_B_F_H_MS, () => {
    if (!isDialling(leg)) return;
    context.transactions.abandon(branch, 'INVITE');
    fail(context, leg, 0, 16, 'cancelled');
  });
}

function fail(context: Context, leg: CalleeLeg, status: number, q850: number, reason: string): void {
  const { number, ask } = leg;
  void endLeg(context, leg, { type: 'DialFailed', requestId: ask.seq, leg: number, status, q850, reason });
}
