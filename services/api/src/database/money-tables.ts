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
  /** Legs through a trunk. `hold`: the first minute, kept back until the leg is charged. */
  outbound_leg: {
    leg: string;
    call_id: string;
    account_id: string;
    profile_id: string | null;
    called: string;
    rate: string;
    increment_s: number;
    hold: string;
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
  };
  /** How far each partition of the journal was charged. */
  charge_cursor: { partition: number; position: string };
};
