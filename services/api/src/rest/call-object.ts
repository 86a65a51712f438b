/** A call in an answer. */
import type { CallV1 } from '@opentact/proto';
import { type Static, Type } from 'typebox';
import { Moment, Uuid } from './envelope.ts';

/** A call as the reference shows it (3.5), as far as it is known while it lives. */
export const Call = Type.Object({
  uuid: Uuid,
  type: Type.Literal('CallSCA'),
  direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
  from: Type.String(),
  to: Type.String(),
  state: Type.String({ description: 'init, ringing, live, hangup or destroyed.' }),
  verb: Type.String({ description: 'Path of the running verb; empty: none.' }),
  owner: Type.String({ description: 'Who ended it; empty while it lives.' }),
  reason: Type.String(),
  created_on: Moment,
  answer_on: Type.Union([Moment, Type.Null()]),
  hangup_on: Type.Union([Moment, Type.Null()]),
  sip_control_app: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
});
const moment = (at: number) => (at > 0 ? new Date(at).toISOString() : null);

export const callOf = (call: Omit<CallV1.GetCallResponse, 'seq'>): Static<typeof Call> => ({
  uuid: call.callId,
  type: 'CallSCA',
  direction: call.direction === 'out' ? 'out' : 'in',
  from: call.from,
  to: call.to,
  state: call.state,
  verb: call.verb,
  owner: call.owner,
  reason: call.reason,
  created_on: new Date(call.createdAt).toISOString(),
  answer_on: moment(call.answeredAt),
  hangup_on: moment(call.endedAt),
  // A call that was ordered for no app is signed for its account.
  sip_control_app: call.appId && call.appId !== call.accountId ? { uuid: call.appId } : null,
});
