/**
 * One call, placed with the flow engine: by `POST /call`, for a number of a bulk call, and by either once more. The same
 * account and key are the same call, whoever asks again and however often. A leg through a trunk is reserved first, so
 * that a limit refuses the command and not the call.
 */
import { writtenNumber } from '@opentact/numbering';
import { callIdOfOrder } from '@opentact/proto';
import { boundedAttribution } from '@opentact/proto/call-view';
import type { Kysely } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { trunkOf } from '../directory/trunks.ts';
import { Refusal, type RefusalCode } from '../kernel/refusal.ts';
import { type Refused, reserve } from '../money/reserve.ts';
import { callerOf, type Named } from './caller.ts';
import type { Engine } from './engine.ts';

/** Whom to ring, and what is heard. */
export type Wish = {
  /** A phone number, or an address: `sip:user@host`. */
  to: string;
  xml: string;
  callFlowUrl: string;
  callFlowMethod: string;
  ringTimeoutMs: number;
};

/** `orderedOn`: when it was asked for first. `wasTried`: an engine may have been asked for it before. */
export type Remembered = { orderedOn: Date; wasTried: boolean };

export type Placement = Wish & {
  accountId: string;
  named: Named;
  key: string;
  /** As far as it is known before `remember`. */
  wasTried: boolean;
  /** In the transaction that reserves, before anything is. */
  remember(tx: Kysely<Tables>): Promise<Remembered>;
  batchItem?: string;
};

/** Why a leg was refused, in words for whoever asked for the call. */
export class Limited extends Refusal {
  readonly reason: Refused;
  constructor(reason: Refused) {
    const [code, message] = SAID[reason];
    super(code, message, ABOUT_NUMBER.has(reason) ? { to: { message } } : undefined);
    this.reason = reason;
  }
}

export const NO_TRUNK =
  'can’t be reached: no trunk serves this account; its operator allows one (npm run ops -- trunk allow)';

const SAID: Record<Refused, [RefusalCode, string]> = {
  'channel-limit': [
    'busy',
    'as many calls go out by this profile as its channel_limit admits; try again when one has ended',
  ],
  'spend-limit': ['unaffordable', 'the profile’s daily_spend_limit is used up'],
  rate: ['unaffordable', 'there is no rate for this number, or it is above the profile’s max_rate'],
  balance: ['unaffordable', 'the balance is too low for the first minute of this call'],
  inactive: ['conflict', 'the account or the profile is not active'],
  'no-trunk': ['invalid', NO_TRUNK],
};
/** What is refused for whom it is to. */
const ABOUT_NUMBER: ReadonlySet<Refused> = new Set(['rate', 'no-trunk']);

/** So long a try may be on its way to the log of an engine. */
const TRY_MS = 20_000;

/** Was it refused for good? Else nobody knows whether the engine took the call, and it may be tried again. */
export const isRefused = (error: unknown): error is Refusal => error instanceof Refusal && error.code !== 'unavailable';

/**
 * What was reserved is given back exactly where the engine surely did not take the call:
 *
 * - refused, by us or by the engine, and never tried before: given back;
 * - refused, but tried before: the call may live from then. The engine is asked: if it knows the call, that is the answer,
 *   and the reservation stays; if it knows none, given back, but not within 20 s of the first try, which may be on its way;
 * - no answer, or a failure of an engine or a database: kept. A try under the same key settles it, or the call's own end;
 *   what never became a call counts no more after a while (money/reserve.ts).
 *
 * With the money the key of a refused call is free again, for a command that is right.
 * @returns the call's uuid
 * @throws Refusal as `callerOf`, `Limited` and the engine say; only after `unavailable` may there be a call
 */
export async function placeCall(db: Database, engine: Engine, of: Placement): Promise<string> {
  const { accountId, key } = of;
  const id = callIdOfOrder(accountId, key);
  let { wasTried } = of;
  let firstOn = 0;
  let isReserved = false;
  try {
    const { caller, orderedOn, ...more } = await db.transaction().execute(async (tx) => {
      const remembered = await of.remember(tx);
      firstOn = remembered.orderedOn.getTime();
      const caller = await callerOf(tx, accountId, of.named);
      await reserveFor(tx, { leg: id, accountId, profileId: caller.profileId, to: of.to });
      return { ...remembered, caller };
    });
    wasTried ||= more.wasTried;
    isReserved = true;
    return await engine.place({
      accountId,
      from: caller.number,
      to: of.to,
      xml: of.xml,
      callFlowUrl: of.callFlowUrl,
      callFlowMethod: of.callFlowMethod,
      app: caller.app,
      attribution: boundedAttribution(caller.attribution),
      ringTimeoutMs: of.ringTimeoutMs,
      idempotencyKey: key,
      orderedAt: orderedOn.getTime(),
      batchItem: of.batchItem ?? '',
      recordCalls: caller.recordCalls,
    });
  } catch (error) {
    if (!isRefused(error)) throw error;
    if (wasTried && (await engine.call(id))) return id;
    // An earlier try may still wait at the engine, where nothing is known of it yet.
    if (wasTried && Date.now() - firstOn < TRY_MS) throw new Refusal('unavailable', 'this call may be being made');
    // What was refused before it was reserved left nothing, and another's try under this key may have begun.
    if (wasTried || isReserved) await giveBack(db, id);
    throw error;
  }
}

type Leg = { leg: string; accountId: string; profileId: string | undefined; to: string };

/** Takes a channel and the first minute's price, where the call will cost. @throws Limited */
async function reserveFor(tx: Kysely<Tables>, { to, ...leg }: Leg): Promise<void> {
  const called = numberOf(to);
  if (called === undefined || (await isOurs(tx, called))) return;
  if (!(await trunkOf(tx, leg.accountId))) throw new Limited('no-trunk');
  const reserved = await reserve(tx, { ...leg, called });
  if (!reserved.granted) throw new Limited(reserved.reason);
}

/** What was kept for a call that was never made. */
const giveBack = (db: Database, id: string): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await tx.deleteFrom('outbound_leg').where('leg', '=', id).where('answered_on', 'is', null).execute();
    await tx.deleteFrom('ordered_call').where('id', '=', id).execute();
  });

/** The digits of a phone number; undefined where it is an address. */
export const numberOf = (to: string): string | undefined => writtenNumber(to)?.replace('+', '');

/** A number of the platform is called without any trunk. */
const isOurs = async (tx: Kysely<Tables>, number: string) =>
  (await tx.selectFrom('number').select('number').where('number', '=', number).executeTakeFirst()) !== undefined;
