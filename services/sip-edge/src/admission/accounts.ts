// What an account may do, and the trunk of its numbers. A call that came in here brought that along; of one that was
// adopted, or that we begin ourselves, the Directory is asked.

import type { Leg } from '../edge/call.ts';
import type { AccountLookUp, Context } from '../edge/context.ts';
import type { Account, Trunk } from '../edge/port.ts';

const ACCOUNTS_MAX = 100_000;

/** What the Directory said of an account with a route. */
export function rememberAccount(context: Pick<Context, 'accounts'>, accountId: string, account: Account): void {
  if (context.accounts.size >= ACCOUNTS_MAX) context.accounts.clear();
  const { callsMax, dialsPerMinuteMax, trunk } = account;
  context.accounts.set(accountId, { callsMax, dialsPerMinuteMax, trunk });
}

/** Undefined: there is no such account. Rejects with DirectoryAway where nothing is known and nobody can be asked. */
export async function accountOf(context: AccountLookUp, accountId: string): Promise<Account | undefined> {
  const known = context.accounts.get(accountId);
  return known ?? (await context.directory.account(accountId));
}

/** The trunk of an account's numbers; undefined where it has none. Rejects with DirectoryAway. */
export async function trunkOf(context: AccountLookUp, accountId: string): Promise<Trunk | undefined> {
  // Asked anew: an operator may have given the account a trunk, or taken it away, since its last call came in.
  const account = await context.directory.account(accountId).catch((error) => {
    const known = context.accounts.get(accountId);
    if (known) return known;
    throw error;
  });
  const id = account?.trunk;
  return id ? context.directory.trunk(id) : undefined;
}

async function addressesOf(
  { resolve }: Pick<Context, 'resolve'>,
  { host, port, transport }: Trunk,
  of: string,
): Promise<string[]> {
  const asker = { of, isTrunk: true };
  const found = await resolve(host, port || undefined, transport === 'tcp' ? 'tcp' : 'udp', asker);
  return found.map(({ address }) => address);
}

/**
 * Goes on once the leg's trunk is known: at once where it is or where nobody asked for proof, else as soon as it was
 * looked up again, which an adopted leg needs.
 */
export function withTrunk(context: AccountLookUp, leg: Leg, status: number, then: () => void): void {
  const wanted = status === 401 || status === 407;
  if (!wanted || leg.kind !== 'callee' || leg.trunk) return then();
  trunkOf(context, leg.ask.accountId)
    .then(async (trunk) => {
      if (!trunk) return;
      leg.trunk = { ...trunk, resolved: await addressesOf(context, trunk, leg.ask.accountId) };
    })
    .catch(() => {})
    .then(then);
}
