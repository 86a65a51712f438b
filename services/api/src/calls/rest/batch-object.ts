/** A bulk call and its numbers in an answer, and how they are read. */
import { type Kysely, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Tables } from '../../database/database.ts';
import { Moment, Stamps, stamp, Uuid } from '../../rest/envelope.ts';

export const Batch = Type.Object(
  {
    uuid: Uuid,
    type: Type.Literal('call_xml'),
    state: Type.String({ description: 'created, running, done or cancelled.' }),
    outbound_voice_profile: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
    tn_lease: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
    sip_control_app: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
    xml: Type.String(),
    call_flow_url: Type.String(),
    pace: Type.Number({ description: 'Calls a second; all batches together stay below what the account may dial.' }),
    phones: Type.Optional(Type.Array(Type.String(), { description: 'Where one batch is read or made.' })),
    total: Type.Integer(),
    waiting: Type.Integer(),
    ordered: Type.Integer({ description: 'Calls that were made.' }),
    answered: Type.Integer(),
    ended: Type.Integer(),
    refused: Type.Integer(),
    cancelled: Type.Integer(),
    created_by: Type.Union([Type.Object({ uuid: Uuid }), Type.Null()]),
    ...Stamps,
  },
  { title: 'Batch' },
);
export const Item = Type.Object(
  {
    uuid: Uuid,
    phone: Type.String(),
    state: Type.String({ description: 'waiting, ordering, ordered, refused or cancelled.' }),
    reason: Type.String({ description: 'Why it was refused, or how its call ended.' }),
    call: Type.Union([
      Type.Object({
        uuid: Uuid,
        state: Type.String(),
        owner: Type.String(),
        duration: Type.Number(),
        answer_on: Type.Union([Moment, Type.Null()]),
      }),
      Type.Null(),
    ]),
  },
  { title: 'BatchItem' },
);
/** Batches with the numbers of their items in each state. */
export const readBatches = (db: Kysely<Tables>, accountId: string) =>
  db
    .selectFrom('batch')
    .where('batch.account_id', '=', accountId)
    .selectAll('batch')
    .select((q) => [
      q
        .selectFrom('batch_item')
        .leftJoin('call_log', 'call_log.id', 'batch_item.call_id')
        .whereRef('batch_item.batch_id', '=', 'batch.id')
        .select(
          sql<Counts>`json_build_object(
            'total', count(*)::int,
            'waiting', (count(*) filter (where batch_item.state in ('waiting', 'ordering')))::int,
            'ordered', (count(*) filter (where batch_item.state = 'ordered'))::int,
            'answered', (count(*) filter (where call_log.answer_on is not null))::int,
            'ended', (count(*) filter (where call_log.state in ('hangup', 'destroyed')))::int,
            'refused', (count(*) filter (where batch_item.state = 'refused'))::int,
            'cancelled', (count(*) filter (where batch_item.state = 'cancelled'))::int)`.as('counts'),
        )
        .as('counts'),
    ]);
type Counts = Record<'total' | 'waiting' | 'ordered' | 'answered' | 'ended' | 'refused' | 'cancelled', number>;
type Row = NonNullable<Awaited<ReturnType<ReturnType<typeof readBatches>['executeTakeFirst']>>>;

const named = (uuid: string | null) => (uuid ? { uuid } : null);

export const batchOf = ({ counts, ...row }: Row): Static<typeof Batch> => ({
  uuid: row.id,
  type: 'call_xml',
  state: row.state,
  outbound_voice_profile: named(row.profile_id),
  tn_lease: named(row.lease_id),
  sip_control_app: named(row.app_id),
  xml: row.xml,
  call_flow_url: row.call_flow_url,
  pace: Number(row.pace),
  ...counts!,
  created_by: named(row.person_id),
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});

/** Of an item with the log of its call, if there is one yet. */
export const ITEM_COLUMNS = [
  'batch_item.id',
  'phone',
  'batch_item.state',
  'batch_item.reason',
  'call_id',
  'call_log.state as call_state',
  'owner',
  'call_log.reason as call_reason',
  'duration_ms',
  'answer_on',
] as const;

type ItemRow = {
  id: string;
  phone: string;
  state: string;
  reason: string;
  call_id: string | null;
  call_state: string | null;
  owner: string | null;
  call_reason: string | null;
  duration_ms: string | null;
  answer_on: Date | null;
};

export const itemOf = (row: ItemRow): Static<typeof Item> => ({
  uuid: row.id,
  phone: row.phone,
  state: row.state,
  reason: row.reason || (row.call_reason ?? ''),
  call: row.call_id
    ? {
        uuid: row.call_id,
        state: row.call_state ?? 'init',
        owner: row.owner ?? '',
        duration: Number(row.duration_ms ?? 0) / 1000,
        answer_on: row.answer_on && stamp(row.answer_on),
      }
    : null,
});
