/**
 * One call, ordered of the flow engine: the leg through a trunk is reserved first, so that a limit refuses the order and
 * not the call. The same account and key are the same call, whoever asks again and however often.
 */
import { callIdOfOrder } from '@opentact/proto';
import type { Kysely } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import { type Refused, reserve } from '../money/reserve.ts';
import type { Engine } from '../rest/engine.ts';
import { RestError } from '../rest/errors.ts';
import type { Caller } from './caller.ts';

export type Wish = {
  /** A phone number, or an address: `sip:user@host`. */
  to: string;
  xml: string;
  callFlowUrl: string;
  callFlowMethod: string;
  ringTimeoutMs: number;
};

export type Order = Wish & {
  accountId: string;
  caller: Caller;
  key: string;
  /** When it was ordered first. */
  orderedOn: Date;
  batchItem?: string;
};

/** Why a leg was refused, as the order's answer. */
export class Limited extends RestError {
  readonly reason: Refused;
  constructor(reason: Refused) {
    const [status, message] = SAID[reason];
    super(status, message);
    this.reason = reason;
  }
}

const SAID: Record<Refused, [number, string]> = {
  'channel-limit': [
    429,
    'as many calls go out by this profile as its channel_limit admits; try again when one has ended',
  ],
  'spend-limit': [402, 'the profile’s daily_spend_limit is used up'],
  rate: [402, 'there is no rate for this number, or it is above the profile’s max_rate'],
  balance: [402, 'the balance is too low for the first minute of this call'],
  inactive: [409, 'the account or the profile is not active'],
};

/** Takes a channel and the first minute's price, where the call will cost. @throws Limited */
export async function reserveFor(
  tx: Kysely<Tables>,
  order: Pick<Order, 'accountId' | 'caller' | 'key' | 'to'>,
): Promise<void> {
  const called = numberOf(order.to);
  if (called === undefined || (await isOurs(tx, called))) return;
  const leg = callIdOfOrder(order.accountId, order.key);
  const { profileId } = order.caller;
  const reserved = await reserve(tx, { leg, accountId: order.accountId, profileId, called });
  if (!reserved.granted) throw new Limited(reserved.reason);
}

/** @returns the call's uuid. @throws RestError 400 (the field), 503 */
export async function place(engine: Engine, order: Order): Promise<string> {
  const { accountId, caller, key, orderedOn, to, xml, callFlowUrl, callFlowMethod, ringTimeoutMs, batchItem } = order;
  return engine.place({
    accountId,
    from: caller.number,
    to,
    xml,
    callFlowUrl,
    callFlowMethod,
    app: caller.app,
    ringTimeoutMs,
    idempotencyKey: key,
    orderedAt: orderedOn.getTime(),
    batchItem: batchItem ?? '',
  });
}

/** What was kept for a call that the engine refused to make. */
export async function giveBack(db: Database, accountId: string, key: string): Promise<void> {
  await db
    .deleteFrom('outbound_leg')
    .where('leg', '=', callIdOfOrder(accountId, key))
    .where('answered_on', 'is', null)
    .execute();
}

/** The digits of a phone number; undefined where it is an address. */
export const numberOf = (to: string): string | undefined =>
  /^\+?[0-9][0-9 ().-]{0,30}$/.test(to) ? to.replace(/\D/g, '') : undefined;

/** A number of the platform is called without any trunk. */
const isOurs = async (tx: Kysely<Tables>, number: string) =>
  (await tx.selectFrom('number').select('number').where('number', '=', number).executeTakeFirst()) !== undefined;
