/**
 * Where attacks happen: a platform of their own on loopback, an account that behaves and whose calls run all the time,
 * and an account of the attacker's with a server that answers whatever an attack wants. Everything goes at the end.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../services/api/src/database/database.ts';
import { type Customer, openCustomer } from '../kit/customer.ts';
import { CASES } from '../load/cases.ts';
import { type Installation, install } from '../load/installation.ts';
import type { Order, Outcome } from '../load/order.ts';
import { usageOf } from '../load/processes.ts';
import { openTrunked, type Trunked } from './trunked.ts';

/** Calls a second of the account that behaves; each is a whole conversation with a key, two documents and two prompts. */
const GOOD_RATE = 4;
const EVIL_NUMBER = '18005550666';

export type Arena = Installation & {
  /** The attacker's own server: what an app of his is told to run. */
  evil: Customer;
  /** The attacker's number; it runs `${evil.url}/flow`. */
  evilNumber: string;
  evilAccount: string;
  /** The secret of the attacker's app: what a customer checks our signatures by. */
  evilSecret: string;
  /** A second platform, whose operator has a trunk; started when it is first wanted. */
  trunked(): Promise<Trunked>;
  /** MiB that the platform's processes hold, PostgreSQL left out: its cache fills. */
  memoryMiB(): number;
  /** The same, by kind of process. */
  memory(): Record<string, number>;
  /** Why the edges refused calls for load, as they logged it. */
  refusals(): string[];
  /**
   * Calls of the account that behaves, for so long; resolves when the last of them is over. With `again` one that is
   * refused by 503 is made anew, as Retry-After asks for.
   */
  goodCalls(seconds: number, rate?: number, again?: boolean): Promise<Outcome>;
};

export async function openArena(environment: Record<string, string> = {}): Promise<Arena> {
  const installation = await install({ OPENTACT_LOG_LEVEL: 'warn', ...environment });
  const evil = await openCustomer();
  const evilSecret = randomUUID();
  const evilAccount = await provision(installation.databaseUrl, evil.url, evilSecret);
  let trunked: Promise<Trunked> | undefined;
  let caller: { process: ChildProcess; died: Promise<never> } | undefined;
  const memory = () => {
    const { postgres: _, ...parts } = usageOf(installation.platform.home).memory;
    return Object.fromEntries(Object.entries(parts).map(([kind, bytes]) => [kind, Math.round(bytes / 1_048_576)]));
  };
  return {
    ...installation,
    evil,
    evilNumber: EVIL_NUMBER,
    evilAccount,
    evilSecret,
    trunked() {
      trunked ??= openTrunked();
      return trunked;
    },
    memory,
    memoryMiB: () => Object.values(memory()).reduce((sum, mebibytes) => sum + mebibytes, 0),
    refusals: () =>
      globSync(join(installation.platform.home, 'logs', 'sip-edge-*.log'))
        .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
        .filter((line) => line.includes('refused for load')),
    async goodCalls(seconds, rate = GOOD_RATE, again = false) {
      // One for all, so that its own first calls, for which its code is compiled, are not taken for the platform's.
      caller ??= startCaller();
      const { number: user, behaviour } = CASES.find((c) => c.name === 'job')!;
      const calls = Math.ceil(seconds * rate);
      const { sipPort } = installation.platform;
      const order: Order = { behaviour, sipPort, user, rate, calls, holdMs: 0, secondsMax: seconds + 15, again };
      const heard = new AbortController();
      const answer = once(caller.process, 'message', { signal: heard.signal });
      answer.catch(() => {}); // Nobody waits for it any more once its process has died.
      caller.process.send(order);
      try {
        const [outcome] = (await Promise.race([answer, caller.died])) as [Outcome];
        return outcome;
      } finally {
        heard.abort();
      }
    },
    async close() {
      caller?.process.kill();
      await evil.close();
      await trunked?.then((t) => t.close());
      await installation.close();
    },
  };
}

function startCaller(): { process: ChildProcess; died: Promise<never> } {
  const child = fork(fileURLToPath(new URL('../load/caller-process.ts', import.meta.url)));
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the process of the callers ended')));
  died.catch(() => {}); // It ends with the arena, too.
  return { process: child, died };
}

/** The attacker's account, with the limits that every account has, and a number whose document his own server writes. */
async function provision(databaseUrl: string, evilUrl: string, secret: string): Promise<string> {
  const url = new URL(databaseUrl);
  url.pathname = '/opentact_api';
  const db = openDatabase(url.href);
  const [account, app] = [randomUUID(), randomUUID()];
  await db
    .insertInto('account')
    .values({ id: account, name: 'Attacker', calls_max: 20, dials_per_minute_max: 60 })
    .execute();
  await db
    .insertInto('app')
    .values({
      id: app,
      account_id: account,
      name: 'Attack',
      auto_answer: true,
      call_flow_url: `${evilUrl}/flow`,
      call_flow_method: 'GET',
      call_flow_timeout_ms: 0,
      static_document: '',
      max_call_length_ms: 60_000,
      signing_key: Buffer.from(secret),
    })
    .execute();
  await db.insertInto('number').values({ number: EVIL_NUMBER, account_id: account, app_id: app }).execute();
  await db.destroy();
  return account;
}
