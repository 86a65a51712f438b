/** What the logs hold for their pages: transaction ids, as text. */
import type { Generated } from 'kysely';

export type LogTables = {
  call_log: { added_by: Generated<string>; ended_by: Generated<string | null> };
  flow_log: { added_by: Generated<string> };
  recording_log: { added_by: Generated<string> };
  /** Recordings that their account has deleted. */
  recording_deletion: { id: string; account_id: string; deleted_on: Generated<Date> };
};
