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
  flow_log: { added_by: Generated<string> };
  recording_log: { added_by: Generated<string> };
  /** Recordings that their account has deleted. */
  recording_deletion: { id: string; account_id: string; deleted_on: Generated<Date> };
};
