/** What the logs hold for their pages: transaction ids, as text. */
import type { PublicCall } from '@opentact/proto/call-view';
import type { ColumnType, Generated } from 'kysely';

export type LogTables = {
  /** `view`: the call as customers see it; null in rows from before it was kept. */
  call_log: {
    added_by: Generated<string>;
    ended_by: Generated<string | null>;
    view: ColumnType<PublicCall | null, string | null | undefined, string>;
  };
  /** `caller`, `own_number`: of its call; empty where an api of before wrote the row. */
  flow_log: { added_by: Generated<string>; caller: Generated<string>; own_number: Generated<string> };
  recording_log: { added_by: Generated<string> };
  /** What is kept of the stories of calls, in pieces (logs/story-pieces.ts). `is_over`: its call is. */
  call_story: {
    call_id: string;
    from_seq: number;
    to_seq: number;
    is_over: boolean;
    raw_bytes: number;
    records: Buffer;
    written_on: Generated<Date>;
  };
  /** How far each partition of a journal was read for them. */
  story_cursor: { log: string; partition: number; position: string; complete_at: Generated<Date> };
  /** The log that was followed last: one row at most. */
  followed_log: { one: Generated<boolean>; log: string };
  /** Recordings that their account has deleted. */
  recording_deletion: { id: string; account_id: string; deleted_on: Generated<Date> };
};
