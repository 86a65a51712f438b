// Lets go of legs that another edge holds: without a word to the phone or to the story, which are that edge's to speak to.
// Only a leg that nobody holds any more is hung up.

import { type EdgeCall, isOurs, type Leg } from './call.ts';
import { type Context, isOver, namesOf, REMEMBER_MS } from './context.ts';
import { sendIn, wayBack } from './within.ts';

/** Forgets a leg, and its call with the last one. */
export function dropLeg(context: Context, leg: Leg): void {
  const { call } = leg;
  if (leg.kind === 'caller') {
    leg.server?.drop();
    for (const other of leg.others) other.drop();
    bury(context, call.id);
  } else {
    const { branch } = namesOf(context, call.id, leg.ask.seq, leg.attempt);
    for (const method of ['INVITE', 'CANCEL']) context.transactions.abandon(branch, method);
  }
  // Their answers are for whoever holds the leg now.
  for (const [branch, method] of leg.open) context.transactions.abandon(branch, method);
  leg.offered?.server.drop();
  leg.offered = undefined;
  leg.unconfirmed?.over();
  leg.unconfirmed = undefined;
  leg.state = 'ended';
  call.legs.delete(leg.number);
  if (isOver(call)) dropCall(context, call);
}

/** An INVITE that was on its way here meanwhile is that edge's as well. */
function bury(context: Context, callId: string): void {
  if (context.dropped.has(callId)) return;
  context.dropped.add(callId);
  context.clock.after(REMEMBER_MS, () => void context.dropped.delete(callId));
}

function dropCall(context: Context, call: EdgeCall): void {
  if (call.counted) context.limits.leave(call.accountId);
  call.counted = false;
  call.forgetting?.();
  context.calls.delete(call.id);
  context.link.forget(call.id);
}

/** An edge that no owner heard of for longer may have been called lost. */
const UNHEARD_MS = 2_000;

/** Called from time to time: once owners are heard again after a silence, legs that they gave to others are let go. */
export function watchOwners(context: Context): () => void {
  let heardAt = context.clock.nowMs();
  return () => {
    if (!context.link.ready()) return;
    const silentMs = context.clock.nowMs() - heardAt;
    heardAt = context.clock.nowMs();
    if (silentMs > UNHEARD_MS) void dropWhatOthersHold(context);
  };
}

/** After a sleep: legs that their owners gave to others meanwhile are let go. Resolves when every owner had its say. */
export async function dropWhatOthersHold(context: Context): Promise<void> {
  const { self } = context;
  const legs = [...context.calls.values()].flatMap(({ legs }) => [...legs.values()]);
  const checks = legs.map(async (leg) => {
    const holder = await context.link.where(leg.call.id, leg.number);
    if (!isOurs(leg)) return;
    if (!holder) return leg.state === 'answered' ? sayBye(context, leg) : undefined;
    if (holder.node === self.node && holder.boot === self.boot) return;
    context.log.warn({ callId: leg.call.id, leg: leg.number, ...holder }, 'another edge took this leg over');
    dropLeg(context, leg);
  });
  await Promise.allSettled(checks);
}

/**
 * Nobody's by the word of an owner that asked for it once, so it ended meanwhile. Only we may still have its connection,
 * and whoever ended it may not have reached the phone.
 */
function sayBye(context: Context, leg: Leg): void {
  const { call, number, dialog, peer, lastSeq } = leg;
  context.log.warn({ callId: call.id, leg: number }, 'this leg ended meanwhile');
  dropLeg(context, leg);
  if (!dialog || !peer || peer.open === false) return;
  const names = namesOf(context, call.id, lastSeq, 15, `gone/${number}`);
  sendIn(context, dialog, wayBack(context, dialog, peer), { method: 'BYE', names }, { response() {}, failed() {} });
}
