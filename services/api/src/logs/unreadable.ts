/** Records of the journal that can't be read: noted for the operator. Where it was the last of its call, the call is over all the same. */
import type { CallEvent } from '@opentact/proto';
import { foldCall } from '@opentact/proto/call-view';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { keep } from './apply.ts';
import { type LoggedCall, viewOfRow } from './row.ts';
import { clean } from './text.ts';

const TYPE_MAX = 64;

/** `headers`, `key`: of the record. `seq`: what its header says, else 0. */
export type Unreadable = {
  partition: number;
  position: number;
  key: string;
  seq: number;
  headers: Record<string, string>;
};

/** Noted again it stays as it was: settled where it was. */
export async function noteUnreadable(tx: Kysely<Tables>, of: Unreadable): Promise<void> {
  if (!isUuid(of.key)) return; // nothing here belongs to it
  const type = clean((of.headers.type ?? '').slice(0, TYPE_MAX));
  const seq = Number.isInteger(of.seq) && Math.abs(of.seq) < 2 ** 31 ? of.seq : 0;
  await tx
    .insertInto('quarantined_record')
    .values({ partition: of.partition, position: String(of.position), call_id: of.key, seq, type })
    .onConflict((c) => c.doNothing())
    .execute();
}

const isEnd = ({ headers, key }: Unreadable): boolean => headers.type === 'CallEnded' && isUuid(key);

/** For the charges, after the records before it were written: or what is kept back for the call's legs grows for ever. */
export async function endLegsOf(tx: Kysely<Tables>, of: Unreadable): Promise<void> {
  if (!isEnd(of)) return;
  await tx
    .updateTable('outbound_leg')
    .set({ ended_on: new Date() })
    .where('call_id', '=', of.key)
    .where('ended_on', 'is', null)
    .execute();
}

/** For the call log, after the records before it were written: a call whose end can't be read is over now. */
export async function endUnreadable(tx: Kysely<Tables>, of: Unreadable): Promise<void> {
  if (!isEnd(of)) return;
  const row = await tx.selectFrom('call_log').selectAll().where('id', '=', of.key).executeTakeFirst();
  if (!row || row.state === 'destroyed') return;
  const ended = { type: 'CallEnded', owner: 'us', reason: 'unreadable record', q850: 0, durationMs: 0 } as const;
  await endNow(tx, row, { ...ended, callId: of.key, seq: of.seq, at: Date.now() });
}

/** A call is over in the call log. What was still being recorded is not waited for: nobody can tell of it any more. */
export async function endNow(tx: Kysely<Tables>, row: LoggedCall, ended: CallEvent): Promise<void> {
  const { underWay: _, ...call } = viewOfRow(row);
  const over = foldCall(call, ended).call;
  if (over) await keep(tx, [over]);
}
