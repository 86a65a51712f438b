// Lets go of legs that another edge holds: without a word to the phone or to the story, which are that edge's to speak to.

import type { EdgeCall, Leg } from './call.ts';
import { type Context, isOver, namesOf } from './context.ts';

/** Forgets a leg, and its call with the last one. */
export function dropLeg(context: Context, leg: Leg): void {
  const { call } = leg;
  if (leg.kind === 'caller') {
    leg.server?.drop();
    for (const other of leg.others) other.drop();
  } else context.transactions.abandon(namesOf(context, call.id, leg.ask.seq, leg.attempt).branch, 'INVITE');
  leg.offered?.server.drop();
  leg.offered = undefined;
  leg.unconfirmed?.over();
  leg.unconfirmed = undefined;
  leg.state = 'ended';
  call.legs.delete(leg.number);
  if (isOver(call)) dropCall(context, call);
}

function dropCall(context: Context, call: EdgeCall): void {
  if (call.counted) context.limits.leave(call.accountId);
  call.counted = false;
  call.forgetting?.();
  context.calls.delete(call.id);
  context.link.forget(call.id);
}

/** After a sleep: legs that their owners gave to others meanwhile are let go. Resolves when every owner had its say. */
export async function dropWhatOthersHold(context: Context): Promise<void> {
  const { self } = context;
  const legs = [...context.calls.values()].flatMap(({ legs }) => [...legs.values()]);
  const checks = legs.map(async (leg) => {
    const holder = await context.link.where(leg.call.id, leg.number);
    if (!holder || (holder.node === self.node && holder.boot === self.boot)) return;
    context.log.warn({ callId: leg.call.id, leg: leg.number, ...holder }, 'another edge took this leg over');
    dropLeg(context, leg);
  });
  await Promise.allSettled(checks);
}
