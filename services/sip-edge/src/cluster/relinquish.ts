// Lets go of legs that another edge holds: without a word to the phone or to the story, which are that edge's to speak to.
// Only a leg that nobody holds any more is hung up.

import { type EdgeCall, isOurs, type Leg } from '../edge/call.ts';
import { type Context, isOver, leaveAccount, namesOf, REMEMBER_MS } from '../edge/context.ts';
import { byeBecause } from '../uac/bye.ts';
import { sendIn } from '../uac/in-dialog-request.ts';

/** Forgets a leg, and its call with the last one. */
export function relinquishLeg(context: Context, leg: Leg): void {
  const { call } = leg;
  if (leg.kind === 'caller') {
    leg.server?.drop();
    for (const other of leg.others) other.drop();
    tombstone(context, call.id);
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
  if (isOver(call)) relinquishCall(context, call);
}

/** An INVITE that was on its way here meanwhile is that edge's as well. */
function tombstone(context: Pick<Context, 'tombstones' | 'clock'>, callId: string): void {
  if (context.tombstones.has(callId)) return;
  context.tombstones.add(callId);
  context.clock.after(REMEMBER_MS, () => void context.tombstones.delete(callId));
}

function relinquishCall(context: Pick<Context, 'calls' | 'limits' | 'link'>, call: EdgeCall): void {
  leaveAccount(context, call);
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
    if (silentMs > UNHEARD_MS) void relinquishWhatOthersHold(context);
  };
}

/** After a sleep: legs that their owners gave to others meanwhile are let go. Resolves when every owner had its say. */
export async function relinquishWhatOthersHold(context: Context): Promise<void> {
  const { self } = context;
  const legs = [...context.calls.values()].flatMap(({ legs }) => [...legs.values()]);
  const checks = legs.map(async (leg) => {
    const holder = await context.link.where(leg.call.id, leg.number);
    if (!isOurs(leg)) return;
    if (!holder) return leg.state === 'answered' ? sayBye(context, leg) : undefined;
    if (holder.node === self.node && holder.instanceId === self.instanceId) return;
    context.log.warn({ callId: leg.call.id, leg: leg.number, ...holder }, 'another edge took this leg over');
    relinquishLeg(context, leg);
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
  relinquishLeg(context, leg);
  if (!dialog || !peer || peer.open === false) return;
  sendIn(context, { dialog, cameFrom: peer, leg }, byeBecause(context, call.id, lastSeq, `gone/${number}`));
}
