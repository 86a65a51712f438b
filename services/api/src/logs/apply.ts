/**
 * Events of the journal, as what they change in the logs: calls by the one fold that every channel shows them by, verbs and
 * recordings beside it. Some statements for all of them; what was applied may be applied again, and a log that is made anew
 * from the journal is the same log.
 */
import type { CallEvent, FactOf } from '@opentact/proto';
import { foldCall, type PublicCall, UNSEEN } from '@opentact/proto/call-view';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/database.ts';
import { isUuid } from '../kernel/uuid.ts';
import { numbersOf, rowOf, viewOfRow } from './row.ts';
import { clean, short } from './text.ts';

/** Does such an event change nothing here? It is passed over unread. */
export const isPassedOver = (type: string) => (UNSEEN as ReadonlySet<string>).has(type);

/** @param all in the order of their partitions; what has no UUID for a key is of no call */
export async function apply(tx: Kysely<Tables>, all: CallEvent[]): Promise<void> {
  const events = all.flatMap((event) =>
    isUuid(event.callId) ? [{ ...event, callId: event.callId.toLowerCase() } as CallEvent] : [],
  );
  const folded = await fold(tx, events);
  if (folded.size > 0) await keep(tx, [...folded.values()]);
  const of = (event: CallEvent) => folded.get(event.callId);
  const verbs = events.flatMap((event) => (event.type === 'VerbEnded' ? verbOf(event, of(event)) : []));
  if (verbs.length > 0)
    await tx
      .insertInto('flow_log')
      .values(verbs)
      .onConflict((c) => c.doNothing())
      .execute();
  const begun = events.flatMap((event) => recordingOf(event, of(event)));
  if (begun.length > 0)
    await tx
      .insertInto('recording_log')
      .values(begun)
      .onConflict((c) => c.doNothing())
      .execute();
  await learnRecordings(tx, events);
}

/** The calls of these events, as they are after them. */
async function fold(tx: Kysely<Tables>, events: CallEvent[]): Promise<Map<string, PublicCall>> {
  const ids = [...new Set(events.map(({ callId }) => callId))];
  const calls = new Map<string, PublicCall>();
  if (ids.length === 0) return calls;
  const rows = await tx.selectFrom('call_log').selectAll().where('id', 'in', ids).execute();
  const known = new Map(rows.map((row) => [row.id, viewOfRow(row)]));
  for (const event of events) {
    const before = calls.get(event.callId) ?? known.get(event.callId);
    const { call } = foldCall(before, event);
    if (call) calls.set(event.callId, call);
  }
  return calls;
}

/** Each call's row, made or changed. */
export async function keep(tx: Kysely<Tables>, calls: PublicCall[]): Promise<void> {
  const excluded = (column: string) => sql`excluded.${sql.ref(column)}` as never;
  await tx
    .insertInto('call_log')
    .values(calls.map(rowOf))
    .onConflict((c) =>
      c.column('id').doUpdateSet({
        state: excluded('state'),
        ring_on: excluded('ring_on'),
        answer_on: excluded('answer_on'),
        hangup_on: excluded('hangup_on'),
        owner: excluded('owner'),
        reason: excluded('reason'),
        q850: excluded('q850'),
        duration_ms: excluded('duration_ms'),
        view: excluded('view'),
        ended_by: sql`coalesce(call_log.ended_by, excluded.ended_by)` as never,
      }),
    )
    .execute();
}

function verbOf(event: CallEvent<FactOf<'VerbEnded'>>, call: PublicCall | undefined) {
  if (!call) return [];
  const { callId: call_id, seq, document, path, name, success, reason, tag, at } = event;
  const { account: account_id, app } = call;
  const { caller, own: own_number } = numbersOf(call);
  const said = {
    caller,
    own_number,
    document,
    path: clean(path),
    name,
    success,
    reason: short(reason),
    tag: short(tag),
  };
  return [{ call_id, seq, account_id, app_id: app.appId, ...said, created_on: new Date(at) }];
}

/** A recording that begins; none of a bridge that isn't recorded. */
function recordingOf(event: CallEvent, call: PublicCall | undefined) {
  if (!call || (event.type !== 'RecordRequested' && event.type !== 'BridgeRequested')) return [];
  if (!isUuid(event.recordingId)) return [];
  const tag = event.type === 'RecordRequested' ? short(event.tag) : '';
  const { callId: call_id, recordingId: id, at } = event;
  return [
    { id, call_id, account_id: call.account, tag, created_on: new Date(at), duration_ms: null, transcript: null },
  ];
}

type Learnt = { id: string; call: string; durationMs: number | null; transcript: string | null };

/** How long recordings are, and what is said in them, as far as these events tell; the last that is told of one counts. */
async function learnRecordings(tx: Kysely<Tables>, events: CallEvent[]): Promise<void> {
  const learnt = new Map<string, Learnt>();
  for (const event of events) {
    if ((event.type !== 'RecordFinished' && event.type !== 'TranscriptReady') || !isUuid(event.recordingId)) continue;
    const { callId: call, recordingId: id } = event;
    const known = learnt.get(`${call} ${id}`) ?? { id, call, durationMs: null, transcript: null };
    const more = event.type === 'RecordFinished' ? { durationMs: event.durationMs } : { transcript: clean(event.text) };
    learnt.set(`${call} ${id}`, { ...known, ...more });
  }
  if (learnt.size === 0) return;
  const of = <T>(value: (one: Learnt) => T) => [...learnt.values()].map(value);
  await sql`
    update recording_log set duration_ms = coalesce(told.duration_ms, recording_log.duration_ms),
      transcript = coalesce(told.transcript, recording_log.transcript)
    from unnest(
      ${of(({ id }) => id)}::uuid[], ${of(({ call }) => call)}::uuid[],
      ${of(({ durationMs }) => durationMs)}::bigint[], ${of(({ transcript }) => transcript)}::text[]
    ) as told (id, call_id, duration_ms, transcript)
    where recording_log.id = told.id and recording_log.call_id = told.call_id`.execute(tx);
}
