/** The tables of money: rates, legs that cost, calls that are being counted. Decimals are text. */
import type { Generated } from 'kysely';

export type MoneyTables = {
  /** The longest prefix of a number wins. `price`: per minute; of `tts`: per 1,000 characters. `demo`: made by a first start. */
  rate: {
    direction: 'in' | 'out' | 'tts';
    prefix: string;
    price: string;
    increment_s: Generated<number>;
    demo: Generated<boolean>;
  };
  /**
   * Legs through a trunk. `hold`: what is kept back until the leg is charged, for its first `hold_s` seconds. `next_on`: when it is to
   * be paid further, or ended. `refused`: why it could not be paid further; null: it could.
   */
  outbound_leg: {
    leg: string;
    call_id: string;
    account_id: string;
    profile_id: string | null;
    called: string;
    rate: string;
    increment_s: number;
    hold: string;
    hold_s: Generated<number>;
    next_on: Generated<Date | null>;
    refused: Generated<string | null>;
    charged: Generated<string>;
    reserved_on: Generated<Date>;
    answered_on: Date | null;
    ended_on: Date | null;
  };
  /** Calls that have not ended, as far as they may cost. `spoken`: characters of text to speech. */
  billed_call: {
    call_id: string;
    account_id: string;
    app_id: Generated<string>;
    /** The number that came in to, where the account leased it then; else empty. */
    called: string;
    spoken: Generated<number>;
    /** It came from a carrier or from equipment of the account. What a stranger hears costs nobody anything. */
    is_peer: Generated<boolean>;
    /** Somebody called: whatever it costs takes no balance below nothing. */
    came_in: Generated<boolean>;
    /** It is over, and is charged when it is settled: a record of it can't be read. Null: it isn't over, or is charged then. */
    duration_ms: Generated<string | null>;
  };
  /** Records of the journal that can't be read. `type`, `seq`: what their headers say. `settled_on` null: the call's charge waits. */
  quarantined_record: {
    partition: number;
    position: string;
    call_id: string;
    seq: number;
    type: string;
    noticed_on: Generated<Date>;
    settled_on: Generated<Date | null>;
  };
  /** How far each partition of the journal was charged. */
  charge_cursor: { log: string; partition: number; position: string };
};
