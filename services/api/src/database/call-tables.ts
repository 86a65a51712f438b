/** The tables of calls that are ordered by API. */
import type { Generated } from 'kysely';

export type CallTables = {
  /** `id`: the call's uuid, which follows from account and key. The same key again must be the same request. */
  ordered_call: {
    id: string;
    account_id: string;
    idempotency_key: string;
    request_hash: string;
    ordered_on: Generated<Date>;
  };
  /** A bulk order. `pace`: calls a second; `next_on`: when its next one is due; infinity: nothing is left. */
  batch: {
    id: string;
    account_id: string;
    person_id: string | null;
    profile_id: string | null;
    lease_id: string | null;
    app_id: string | null;
    xml: string;
    call_flow_url: string;
    call_flow_method: string;
    pace: string;
    state: Generated<'created' | 'running' | 'done' | 'cancelled'>;
    idempotency_key: string | null;
    request_hash: string;
    next_on: Generated<Date>;
    created_on: Generated<Date>;
    modified_on: Generated<Date>;
  };
  /** One number of a bulk order. `ordering`: the engine is being asked; `ordered`: the call was made and goes on. */
  batch_item: {
    id: string;
    batch_id: string;
    position: number;
    phone: string;
    state: Generated<'waiting' | 'ordering' | 'ordered' | 'refused' | 'cancelled'>;
    call_id: string | null;
    reason: Generated<string>;
    /** How often a limit of the account refused its call; each try is a call of its own. */
    tries: Generated<number>;
    /** When its call was first asked for, and last. */
    ordered_on: Date | null;
    tried_on: Date | null;
    modified_on: Generated<Date>;
  };
};
