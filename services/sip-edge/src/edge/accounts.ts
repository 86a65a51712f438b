// What the Directory said of the accounts whose calls are held here: their limits, and the trunk of their numbers.
// An adopted call brings only its account's name; the rest is asked again by the number that was called.

import { parseNameAddr } from '../stack/message/name-addr.ts';
import { normalUser, type Uri } from '../stack/message/uri.ts';
import type { Leg } from './call.ts';
import type { Context } from './context.ts';
import type { Route, Trunk } from './port.ts';

const ACCOUNTS_MAX = 100_000;
const ADOPTION_MS = 300;

export function rememberAccount(context: Context, route: Route): void {
  if (context.accounts.size >= ACCOUNTS_MAX) context.accounts.clear();
  context.accounts.set(route.accountId, route);
}

/** Asks about an account whose call came in at another edge; `called` is where its caller wanted to go. */
export function learnAccount(context: Context, accountId: string, called: Uri): void {
  if (context.accounts.has(accountId) || context.learning.has(accountId) || called.kind !== 'sip') return;
  const { address } = context.network.advertise;
  const question = {
    user: normalUser(called.user ?? ''),
    host: called.host,
    fromUser: '',
    callerWithheld: false,
    callId: '',
  };
  const learnt = context.directory
    .route({ ...question, sourceAddress: address })
    .then((route) => {
      if (route?.accountId === accountId) rememberAccount(context, route);
    })
    .catch(() => {})
    .finally(() => context.learning.delete(accountId));
  context.learning.set(accountId, learnt);
}

/** A leg may be dialled again just before the caller's leg is adopted, which alone tells of the account. */
async function accountOf(context: Context, accountId: string): Promise<Route | undefined> {
  const isKnown = () => context.accounts.has(accountId) || context.learning.has(accountId);
  if (!isKnown()) await new Promise<void>((done) => void context.clock.after(ADOPTION_MS, done));
  await context.learning.get(accountId);
  return context.accounts.get(accountId);
}

/** The trunk of an account's numbers; undefined where it has none. Rejects with DirectoryAway. */
export async function trunkOf(context: Context, accountId: string): Promise<Trunk | undefined> {
  const id = (await accountOf(context, accountId))?.trunk;
  return id ? context.directory.trunk(id) : undefined;
}

/** The user that a From or To value of ours names, where it can be read. */
export function calledBy(address: string): Uri | undefined {
  try {
    return parseNameAddr(address).uri;
  } catch {
    return undefined;
  }
}

/**
 * Goes on once the leg's trunk is known: at once where it is or where nobody asked for proof, else as soon as it was
 * looked up again, which an adopted leg needs.
 */
export function withTrunk(context: Context, leg: Leg, status: number, then: () => void): void {
  const wanted = status === 401 || status === 407;
  if (!wanted || leg.kind !== 'callee' || leg.trunk || !leg.ask.target.startsWith('tel:')) return then();
  trunkOf(context, leg.ask.accountId)
    .then((trunk) => {
      if (trunk) leg.trunk = trunk;
    })
    .catch(() => {})
    .then(then);
}
