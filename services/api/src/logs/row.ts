/** A call as customers see it, and its row of the call log: what is searched and sorted by stands in columns of its own. */
import { legOf, type PublicCall, toOf, wholeCallObject } from '@opentact/proto/call-view';
import { type Insertable, type Selectable, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { short } from './text.ts';

export type LoggedCall = Selectable<Tables['call_log']>;

const momentOf = (at: number | undefined) => (at === undefined ? null : new Date(at));

/** Who calls and who is called, as the columns of the logs have it; which of them is a number of the account. */
export function numbersOf(call: PublicCall): { caller: string; called: string; own: string } {
  const leg = legOf(call, 0)!;
  const [caller, called] = [short(leg.from), short(toOf(leg))];
  return { caller, called, own: leg.outgoing ? caller : called };
}

export function rowOf(call: PublicCall): Insertable<Tables['call_log']> {
  const leg = legOf(call, 0)!;
  const { caller, called } = numbersOf(call);
  const { answerOn, hangupOn } = leg;
  return {
    id: call.callId,
    account_id: call.account,
    app_id: call.app.appId,
    direction: leg.outgoing ? 'out' : 'in',
    batch_item: isUuid(call.batchItem ?? '') ? call.batchItem! : null,
    caller,
    called,
    state: leg.state,
    created_on: new Date(leg.initOn),
    ring_on: momentOf(leg.ringOn),
    answer_on: momentOf(answerOn),
    hangup_on: momentOf(hangupOn),
    owner: call.ended?.owner ?? '',
    reason: short(call.ended?.reason ?? ''),
    q850: leg.q850 ?? 0,
    duration_ms: String(answerOn !== undefined && hangupOn !== undefined ? hangupOn - answerOn : 0),
    ended_by: hangupOn === undefined ? null : (sql`pg_current_xact_id()` as never),
    view: JSON.stringify(call),
  };
}

/**
 * The call of a row. What an api of before wrote of it, which keeps no call beside its columns, is told by the columns.
 */
export function viewOfRow(row: LoggedCall): PublicCall {
  const isBehind = row.hangup_on !== null && row.view?.legs[0]?.hangupOn === undefined;
  if (row.view && !isBehind) return row.view;
  const [initOn, hangupOn] = [row.created_on.getTime(), row.hangup_on?.getTime()];
  return {
    callId: row.id,
    account: row.account_id,
    modifiedOn: hangupOn ?? row.answer_on?.getTime() ?? row.ring_on?.getTime() ?? initOn,
    seq: 0,
    app: { appId: row.app_id, name: '', autoAnswer: false, maxCallLengthMs: 0 },
    legs: [
      {
        leg: 0,
        ...(row.direction === 'out' && { outgoing: true as const }),
        from: row.caller,
        to: row.called,
        state: hangupOn === undefined ? (row.state as 'init') : 'destroyed',
        initOn,
        ...(row.ring_on && { ringOn: row.ring_on.getTime() }),
        ...(row.answer_on && { answerOn: row.answer_on.getTime() }),
        ...(hangupOn !== undefined && { hangupOn, destroyOn: hangupOn, q850: row.q850, reason: row.reason }),
      },
    ],
    ...(row.batch_item && { batchItem: row.batch_item }),
    ...(hangupOn !== undefined && { ended: { owner: row.owner, reason: row.reason } }),
    running: {},
    bridges: {},
    logs: [],
    records: [],
  };
}

/** The call object of a row, as every channel shows it. */
export const objectOfRow = (row: LoggedCall) => wholeCallObject(viewOfRow(row));
