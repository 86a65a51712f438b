/**
 * Who is shown as the caller of a leg. Only numbers that the account has now, or, where that may be, whoever called us. An
 * emergency number never: it has no line that calls. What was named by the flow and isn't the account's is refused, by name.
 */
import type { Kysely } from 'kysely';
import type { Tables } from '../database/database.ts';
import { digitsOf } from '../kernel/digits.ts';

/** `wanted`: as the flow or the client names it. `original`: who called us, where the leg goes on from a call that came in. */
export type Wanted = { accountId: string; wanted: string; original: string | undefined };
/** `shown` empty: nobody. */
export type Shown = { shown: string } | { refusal: 'caller-id' };

const EMERGENCY = new Set(
  [
    '000',
    '061',
    '066',
    '108',
    '110',
    '111',
    '112',
    '113',
    '115',
    '117',
    '118',
    '119',
    '120',
    '122',
    '123',
    '190',
    '191',
  ].concat(['192', '193', '197', '198', '199', '911', '933', '988', '997', '998', '999', '1122', '10111']),
);
/** Shorter ones are extensions of somebody's own equipment. */
const NUMBER_DIGITS_MIN = 7;

/** Also as `+911`, `1911`, `9-1-1`. */
export function isEmergencyNumber(caller: string): boolean {
  const digits = digitsOf(caller) ?? '';
  return EMERGENCY.has(digits) || digits === '1911' || digits === '1933';
}

/**
 * By a trunk: what a carrier shows to the world.
 * @param of.profileNumber of the outbound voice profile; empty: it names none.
 * @param of.passesOriginal may the trunk show whoever called us?
 */
export async function callerByTrunk(
  tx: Kysely<Tables>,
  of: Wanted & { profileNumber: string; passesOriginal: boolean },
): Promise<Shown> {
  const { accountId, wanted, original, profileNumber } = of;
  const digits = digitsOf(wanted);
  const isOriginal = isSame(wanted, original);
  if (!isEmergencyNumber(wanted)) {
    if (digits && (await isOwn(tx, accountId, digits))) return { shown: wanted };
    if (isOriginal && of.passesOriginal && digits) return { shown: wanted };
  }
  if (digits && !isOriginal) return { refusal: 'caller-id' };
  const shown = profileNumber || (await firstOf(tx, accountId));
  return shown ? { shown } : { refusal: 'caller-id' };
}

/** To an address that is no trunk's, or to the platform itself: names and extensions are free, numbers are not. */
export async function callerByAddress(tx: Kysely<Tables>, of: Wanted): Promise<Shown> {
  const { accountId, wanted, original } = of;
  const isOriginal = isSame(wanted, original);
  if (isEmergencyNumber(wanted)) return isOriginal ? { shown: '' } : { refusal: 'caller-id' };
  const digits = digitsOf(wanted);
  if (isOriginal || !digits || digits.length < NUMBER_DIGITS_MIN) return { shown: wanted };
  return (await isOwn(tx, accountId, digits)) ? { shown: wanted } : { refusal: 'caller-id' };
}

const isSame = (wanted: string, original: string | undefined) =>
  original !== undefined && (digitsOf(wanted) ?? wanted) === (digitsOf(original) ?? original);

async function isOwn(tx: Kysely<Tables>, accountId: string, digits: string): Promise<boolean> {
  const lease = await tx
    .selectFrom('lease')
    .select('id')
    .where('tn', '=', digits)
    .where('account_id', '=', accountId)
    .where('released_on', 'is', null)
    .executeTakeFirst();
  return (
    lease !== undefined || (await numberOf(tx, accountId).where('number', '=', digits).executeTakeFirst()) !== undefined
  );
}

/** The number that the account has had longest. */
async function firstOf(tx: Kysely<Tables>, accountId: string): Promise<string | undefined> {
  const lease = await tx
    .selectFrom('lease')
    .select('tn')
    .where('account_id', '=', accountId)
    .where('released_on', 'is', null)
    .orderBy('created_on')
    .orderBy('tn')
    .limit(1)
    .executeTakeFirst();
  return lease?.tn ?? (await numberOf(tx, accountId).orderBy('number').limit(1).executeTakeFirst())?.number;
}

/** The demo's number is nobody's lease. */
const numberOf = (tx: Kysely<Tables>, accountId: string) =>
  tx.selectFrom('number').select('number').where('account_id', '=', accountId);
