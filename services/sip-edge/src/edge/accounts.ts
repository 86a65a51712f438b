// What an account may do, and the trunk of its numbers. A call that came in here brought that along; of one that was
// adopted, or that we begin ourselves, the Directory is asked.

import type { Leg } from './call.ts';
import type { Context } from './context.ts';
import type { Account, Trunk } from './port.ts';

const ACCOUNTS_MAX = 100_000;

/** What the Directory said of an account with a route. */
export function rememberAccount(context: Context, accountId: string, account: Account): void {
  if (context.accounts.size >= ACCOUNTS_MAX) context.accounts.clear();
  const { callsMax, dialsPerMinuteMax, trunk } = account;
  context.accounts.set(accountId, { callsMax, dialsPerMinuteMax, trunk });
}

/** Undefined: there is no such account. Rejects with DirectoryAway where nothing is known and nobody can be asked. */
export async function accountOf(context: Context, accountId: string): Promise<Account | undefined> {
  const known = context.accounts.get(accountId);
  return known ?? (await context.directory.account(accountId));
}

/** The trunk of an account's numbers; undefined where it has none. Rejects with DirectoryAway. */
export async function trunkOf(context: Context, accountId: string): Promise<Trunk | undefined> {
  const id = (await accountOf(context, accountId))?.trunk;
  return id ? context.directory.trunk(id) : undefined;
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
