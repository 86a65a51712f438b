/**
 * One event of the journal, as what it changes in the call log. Each change stands by itself and may be applied again: a
 * log that is made anew from the journal is the same log.
 */
import type { CallEvent } from '@opentact/proto';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../directory/uuid.ts';

const TEXT_MAX = 255;
/** What comes from outside, as PostgreSQL takes it: one event that it refuses would hold up all behind it. */
const clean = (text: string) => text.replaceAll('\0', '');
const short = (text: string) => clean(text).slice(0, TEXT_MAX);

/** Events that change something here; everything else is passed over unread. */
export const TOLD = new Set<string>([
  'CallArrived',
  'CallOrdered',
  'LegRang',
  'LegAnswered',
  'CallEnded',
  'VerbEnded',
  'RecordRequested',
  'RecordFinished',
  'BridgeRequested',
  'TranscriptReady',
]);

export async function apply(tx: Kysely<Tables>, event: CallEvent): Promise<void> {
  const at = new Date(event.at);
  const call = tx.updateTable('call_log').where('id', '=', event.callId);
  switch (event.type) {
    case 'CallOrdered':
    case 'CallArrived':
      if (event.seq > 1) return; // an edge that took the call over heard its INVITE again
      await tx
        .insertInto('call_log')
        .values({
          id: event.callId,
          account_id: event.accountId,
          app_id: event.app?.appId ?? '',
          caller: short(event.fromNumber),
          called: short(event.toNumber),
          state: 'init',
          created_on: at,
          ...(event.type === 'CallOrdered' && {
            direction: 'out' as const,
            batch_item: isUuid(event.batchItem ?? '') ? event.batchItem : null,
          }),
        })
        .onConflict((c) => c.doNothing())
        .execute();
      return;
    case 'LegRang':
      if (event.leg === 0) await call.set({ state: 'ringing', ring_on: at }).where('state', '=', 'init').execute();
      return;
    case 'LegAnswered':
      if (event.leg === 0)
        await call.set({ state: 'live', answer_on: at }).where('state', 'in', ['init', 'ringing']).execute();
      return;
    case 'CallEnded': {
      const { owner, q850, durationMs } = event;
      const ended = { owner, q850, reason: short(event.reason), duration_ms: String(durationMs) };
      const ended_by = sql<string>`coalesce(ended_by, pg_current_xact_id())`;
      await call.set({ ...ended, ended_by, state: 'hangup', hangup_on: at }).execute();
      return;
    }
    case 'VerbEnded': {
      const { callId, seq, document, path, name, success, reason, tag } = event;
      await tx
        .insertInto('flow_log')
        .columns([
          'call_id',
          'seq',
          'account_id',
          'app_id',
          'document',
          'path',
          'name',
          'success',
          'reason',
          'tag',
          'created_on',
        ])
        .expression((from) =>
          from
            .selectFrom('call_log')
            .where('id', '=', callId)
            .select([
              'id',
              sql<number>`${seq}::int`.as('seq'),
              'account_id',
              'app_id',
              sql<number>`${document}::int`.as('document'),
              sql<string>`${path}::text`.as('path'),
              sql<string>`${name}::text`.as('name'),
              sql<boolean>`${success}::boolean`.as('success'),
              sql<string>`${short(reason)}::text`.as('reason'),
              sql<string>`${short(tag)}::text`.as('tag'),
              sql<Date>`${at}::timestamptz`.as('created_on'),
            ]),
        )
        .onConflict((c) => c.doNothing())
        .execute();
      return;
    }
    case 'RecordRequested':
      return begun(tx, event, event.recordingId, event.tag);
    case 'BridgeRequested':
      return begun(tx, event, event.recordingId, '');
    case 'RecordFinished':
      if (!isUuid(event.recordingId)) return;
      await tx
        .updateTable('recording_log')
        .set({ duration_ms: String(event.durationMs) })
        .where('id', '=', event.recordingId)
        .where('call_id', '=', event.callId)
        .execute();
      return;
    case 'TranscriptReady':
      if (!isUuid(event.recordingId)) return;
      await tx
        .updateTable('recording_log')
        .set({ transcript: clean(event.text) })
        .where('id', '=', event.recordingId)
        .where('call_id', '=', event.callId)
        .execute();
      return;
    default:
  }
}

async function begun(tx: Kysely<Tables>, event: CallEvent, id: string, tag: string): Promise<void> {
  if (!isUuid(id)) return; // a bridge that isn't recorded
  await tx
    .insertInto('recording_log')
    .columns(['id', 'call_id', 'account_id', 'tag', 'created_on'])
    .expression((from) =>
      from
        .selectFrom('call_log')
        .where('id', '=', event.callId)
        .select([
          sql<string>`${id}::uuid`.as('recording'),
          'id',
          'account_id',
          sql<string>`${short(tag)}::text`.as('tag'),
          sql<Date>`${new Date(event.at)}::timestamptz`.as('created_on'),
        ]),
    )
    .onConflict((c) => c.doNothing())
    .execute();
}
