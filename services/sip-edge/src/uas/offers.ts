// Offers within a call: the peer's re-INVITE to the engine and back, and ours to the peer. One at a time per leg.
// Only media composes SDP; here it is carried. Glare is 491, no owner within 2 s is 500 with Retry-After.

import type { CallEvent, FactOf } from '@opentact/proto';
import { withTrunk } from '../admission/accounts.ts';
import { recordOf } from '../cluster/dialog-record.ts';
import { isOurs, type Leg } from '../edge/call.ts';
import { type Context, contactLine, type Names, namesOf, report } from '../edge/context.ts';
import { acceptInDialogRequest, nextHopOf, retarget } from '../stack/dialog/dialog.ts';
import { glareWaitMs, NO_OFFER, peerOffers, weOffer } from '../stack/dialog/offers.ts';
import { sdpOf } from '../stack/message/bodies.ts';
import type { HeaderLine } from '../stack/message/build.ts';
import { inspect } from '../stack/message/inspect.ts';
import type { SipResponse } from '../stack/message/message.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import { TIMER_B_F_H_MS } from '../stack/transaction/timers.ts';
import { noAck, noDialog } from '../uac/bye.ts';
import { digestAuthorization } from '../uac/digest-authorization.ts';
import { acknowledge, sendWithin } from '../uac/in-dialog-request.ts';
import { callLine, OWNER_PATIENCE_MS, RETRY_AFTER, TRYING_MS } from './arrival.ts';
import { retransmit2xx } from './retransmit-2xx.ts';

/** An owner that took the offer must answer it before the peer gives up. */
const ANSWER_MS = 30_000;
const ATTEMPTS_MAX = 4;

/** The peer's re-INVITE. */
export function receiveOffer(context: Context, leg: Leg, server: ServerTransaction): void {
  const { request } = server;
  server.identify(leg.tag, [callLine(leg.call.id)]);
  const refusal = inspect(request, context.abilities);
  if (refusal) return void server.respond(refusal.status, refusal);
  const heard = acceptInDialogRequest(leg.dialog!, request);
  if (!heard.ok) return void server.respond(heard.status, { reason: heard.reason });
  if (leg.state !== 'answered' || leg.unconfirmed) return void server.respond(500, { lines: [RETRY_AFTER] });
  const transaction = `${request.cseq.number} ${request.via.branch}`;
  const verdict = peerOffers(leg.offers, transaction, 2);
  if (!verdict.ok) return void server.respond(verdict.status, verdict.status === 500 ? { lines: [RETRY_AFTER] } : {});
  if (!leg.mayOffer.take(context.clock.nowMs())) return void server.respond(500, { lines: [RETRY_AFTER] });
  // Not sooner than RFC 3261 17.2.1 asks: whoever heard 100 repeats nothing, also where this edge dies.
  context.clock.after(TRYING_MS, () => leg.offered?.server === server && server.respond(100));
  leg.dialog = heard.dialog;
  leg.peer = server.arrival.peer;
  leg.offers = verdict.offers;
  leg.offered = { transaction, server };
  server.listener = { cancelled: () => closeOffer(leg, transaction) };
  const sdp = sdpOf(request);
  const fact = { type: 'OfferReceived', leg: leg.number, sdp, transaction, ...recordOf(leg) } as const;
  const told = report(context, leg.call.id, fact);
  giveUp(context, leg, transaction, told);
}

/** 500 with Retry-After where no owner takes the offer within 2 s, or takes it and never answers. */
function giveUp(context: Context, leg: Leg, transaction: string, told: Promise<void>): void {
  const refuse = () => {
    if (leg.offered?.transaction !== transaction) return;
    leg.offered.server.respond(500, { lines: [RETRY_AFTER] });
    closeOffer(leg, transaction);
  };
  const stop = context.clock.after(OWNER_PATIENCE_MS, refuse);
  told.then(
    () => {
      stop();
      context.clock.after(ANSWER_MS, refuse);
    },
    () => {},
  );
}

function closeOffer(leg: Leg, transaction: string): void {
  if (leg.offered?.transaction !== transaction) return;
  leg.offered = undefined;
  leg.offers = NO_OFFER;
}

/** The engine's answer to the peer's offer. An offer that is gone is settled all the same: nobody waits for it. */
export function answerOffer(context: Context, leg: Leg, ask: CallEvent<FactOf<'OfferAnswerRequested'>>): void {
  const { offered } = leg;
  if (offered?.transaction === ask.transaction && leg.state === 'answered') {
    closeOffer(leg, ask.transaction);
    if (ask.sdp === '') offered.server.respond(ask.status >= 300 ? ask.status : 488);
    else accept(context, leg, offered.server, ask.sdp);
  }
  report(context, leg.call.id, { type: 'OfferAnswered', requestId: ask.seq, leg: leg.number });
}

function accept(context: Context, leg: Leg, server: ServerTransaction, sdp: string): void {
  const bytes = server.compose(200, {
    lines: [contactLine(context, leg.tag, server.arrival.peer.transport), context.allow],
    body: { type: 'application/sdp', bytes: Buffer.from(sdp) },
  });
  if (!server.transmit(bytes)) return;
  const delayed = sdpOf(server.request) === '';
  leg.unconfirmed = retransmit2xx(context, server, bytes, {
    confirmed(answer) {
      leg.unconfirmed = undefined;
      if (delayed) report(context, leg.call.id, { type: 'LegConfirmed', leg: leg.number, sdp: answer });
    },
    noAck: () => noAck(context, leg),
  });
}

type OfferAsk = CallEvent<FactOf<'OfferRequested'>>;

/** Our own offer. A 491 is tried again under the next attempt, after the wait of RFC 3261 14.1. */
export function offer(context: Context, leg: Leg, ask: OfferAsk, attempt = 0, proof: readonly HeaderLine[] = []): void {
  const { call, number } = leg;
  const refused = (status: number) =>
    void (isOurs(leg) && report(context, call.id, { type: 'OfferRefused', requestId: ask.seq, leg: number, status }));
  if (leg.state !== 'answered') return refused(481);
  const verdict = weOffer(leg.offers, ask.seq);
  if (!verdict.ok || leg.unconfirmed) return again(context, leg, ask, attempt, refused);
  leg.offers = verdict.offers;
  const names = namesOfTry(context, leg, ask, attempt);
  const lines = [contactLine(context, leg.tag, leg.peer!.transport), context.allow, ...proof];
  let settled = false;
  const settle = (then: () => void) => {
    if (settled) return;
    settled = true;
    stop();
    if (leg.offers.name === 'ours') leg.offers = NO_OFFER;
    then();
  };
  // A peer that only ever says 1xx must not hold the offer for ever; the session stays as it was.
  const stop = context.clock.after(TIMER_B_F_H_MS, () => {
    context.transactions.abandon(names.branch, 'INVITE');
    settle(() => refused(408));
  });
  sendWithin(
    context,
    leg,
    { method: 'INVITE', names, lines, sdp: ask.sdp },
    {
      response(response, arrival, peer) {
        if (response.status < 200) return;
        if (leg.state === 'ended') settle(() => refused(481));
        else if (response.status < 300) accepted(context, leg, ask, names, response, settle, proof);
        else if (response.status === 491) settle(() => again(context, leg, ask, attempt, refused));
        else if (response.status === 500 && isAskedAgain(leg, ask) && attempt < ATTEMPTS_MAX)
          settle(() => offer(context, leg, ask, attempt + 1));
        else
          withTrunk(context, leg, response.status, () => {
            const asked = { method: 'INVITE', uriText: nextHopOf(leg.dialog!).uriText, peer, names, lines: proof };
            const heard = { response, source: arrival.source };
            const wanted = attempt < ATTEMPTS_MAX ? digestAuthorization(context, leg, heard, asked) : undefined;
            settle(() => {
              if (wanted) offer(context, leg, ask, attempt + 1, wanted);
              else lost(context, leg, response.status, refused);
            });
          });
      },
      failed: () => settle(() => lost(context, leg, 408, refused)),
    },
  );
}

/** It was asked of another edge before, which may have sent it, and more after it. */
const isAskedAgain = ({ call }: Pick<Leg, 'call'>, ask: OfferAsk) => ask.seq < call.adoptedAt;

/**
 * An offer asked again begins as the other edge began, so that it is a retransmission. A phone that was past that number
 * says 500; beyond all that edge may have sent, its number is the adoption's, which nothing but our OPTIONS has.
 */
function namesOfTry(context: Context, { call }: Leg, ask: OfferAsk, attempt: number): Names {
  if (attempt < ATTEMPTS_MAX || !isAskedAgain({ call }, ask)) return namesOf(context, call.id, ask.seq, attempt);
  return namesOf(context, call.id, call.adoptedAt, attempt - ATTEMPTS_MAX + 1, `offer/${ask.seq}`);
}

function again(context: Context, leg: Leg, ask: OfferAsk, attempt: number, refused: (status: number) => void): void {
  if (attempt + 1 >= ATTEMPTS_MAX) return refused(491);
  // The share is derived from the story, not thrown: the same call waits as long wherever it is replayed.
  const share =
    Number.parseInt(namesOf(context, leg.call.id, ask.seq, attempt, 'glare').branch.slice(7, 13), 16) / 2 ** 24;
  context.clock.after(glareWaitMs(leg.kind === 'callee', share), () => offer(context, leg, ask, attempt + 1));
}

function accepted(
  context: Context,
  leg: Leg,
  ask: OfferAsk,
  { cseq }: Names,
  response: SipResponse,
  settle: (then: () => void) => void,
  auth: readonly HeaderLine[],
): void {
  leg.dialog = retarget(leg.dialog!, response);
  const { branch } = namesOf(context, leg.call.id, cseq >>> 4, cseq & 15, 'ack');
  acknowledge(context, { dialog: leg.dialog, cameFrom: leg.peer!, leg }, { branch, cseq }, auth);
  settle(() => {
    const sdp = sdpOf(response);
    const fact = { type: 'OfferAccepted', requestId: ask.seq, leg: leg.number, sdp, ...recordOf(leg) } as const;
    report(context, leg.call.id, fact);
  });
}

/** A refusal keeps the session as it was; 481 and 408 say that the peer has no such call (RFC 3261 12.2.1.2). */
function lost(context: Context, leg: Leg, status: number, refused: (status: number) => void): void {
  refused(status);
  if (!isOurs(leg)) return;
  if (status !== 481 && status !== 408) return;
  noDialog(context, leg);
}
