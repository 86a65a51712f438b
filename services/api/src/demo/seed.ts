/**
 * What a first start puts into the tables: the demo of `demo.json` where that file is, and the trunk of OPENTACT_TRUNK.
 * Seeding again changes only what the demo's ports and the variable decide; it never touches another account.
 */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '@opentact/runtime';
import type { Transaction } from 'kysely';
import type { Database, Tables } from '../database/database.ts';
import type { Seal } from '../database/sealing/seal.ts';
import { digestOf, hashPassword } from '../rest/auth/credentials.ts';
import { seedDocument } from './seed-document.ts';
import { seedInventory } from './seed-inventory.ts';
import { seedMoney } from './seed-money.ts';
import { seedNumbering } from './seed-numbering.ts';

/** What `$OPENTACT_HOME/demo.json` holds (0600); the supervisor writes it. */
export type Demo = {
  accountId: string;
  appId: string;
  email: string;
  password: string;
  apiKey: string;
  signingKey: string;
  number: string;
  customerUrl: string;
  callee: string;
  /** A group that rings the demo callee. */
  groupId: string;
};

/** The demo of a home; undefined where there is none. @throws SyntaxError where the file is broken. */
export async function readDemo(file: string): Promise<Demo | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : (JSON.parse(text) as Demo);
}

export async function seedDemo(db: Database, demo: Demo, seal: Seal): Promise<void> {
  const document = seedDocument(demo.customerUrl, demo.callee);
  const ofAccount = await seal.seal(randomBytes(32), demo.accountId);
  const ofApp = await seal.seal(demo.signingKey, demo.appId);
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('account')
      .values({
        ...{ id: demo.accountId, name: 'Demo', calls_max: 100, dials_per_minute_max: 60, level: 'ServiceAccount' },
        signing_key: ofAccount,
      })
      // Whoever has the demo's credentials runs this installation.
      .onConflict((c) => c.column('id').doUpdateSet({ level: 'ServiceAccount' }))
      .execute();
    await tx
      .insertInto('person')
      .values({
        email: demo.email,
        account_id: demo.accountId,
        password_hash: await hashPassword(demo.password, 'demo'),
      })
      .onConflict((c) => c.doNothing())
      .execute();
    const { id: person_id } = await tx
      .selectFrom('person')
      .select('id')
      .where('email', '=', demo.email)
      .executeTakeFirstOrThrow();
    await tx
      .insertInto('api_key')
      .values({ digest: digestOf(demo.apiKey), account_id: demo.accountId, person_id })
      .onConflict((c) => c.column('digest').doUpdateSet({ person_id }))
      .execute();
    await tx
      .insertInto('app')
      .values({
        id: demo.appId,
        account_id: demo.accountId,
        name: 'Demo',
        auto_answer: true,
        call_flow_url: '',
        call_flow_method: 'GET',
        call_flow_timeout_ms: 0,
        static_document: document,
        max_call_length_ms: 4 * 3_600_000,
        signing_key: ofApp,
      })
      .onConflict((c) => c.column('id').doUpdateSet({ static_document: document }))
      .execute();
    await tx
      .insertInto('number')
      .values({ number: demo.number, account_id: demo.accountId, app_id: demo.appId })
      .onConflict((c) => c.doNothing())
      .execute();
    await seedGroup(tx, demo);
    await seedNumbering(tx);
    await seedInventory(tx);
    await seedMoney(tx, demo.accountId);
  });
}

async function seedGroup(tx: Transaction<Tables>, { groupId, accountId, callee }: Demo): Promise<void> {
  await tx
    .insertInto('ring_group')
    .values({ id: groupId, account_id: accountId, name: 'Demo' })
    .onConflict((c) => c.doNothing())
    .execute();
  const target = `sip:${callee}`;
  await tx
    .insertInto('ring_group_member')
    .values({ group_id: groupId, position: 0, target })
    .onConflict((c) => c.columns(['group_id', 'position']).doUpdateSet({ target }))
    .execute();
}

const SEEDED_TRUNK = 'seeded';

/** The installation's own trunk (directory/trunks.ts says whom it serves); gone again when the variable is. */
export async function seedTrunk(db: Database, trunk: Config['trunk'], seal: Seal): Promise<void> {
  if (!trunk) {
    await db.deleteFrom('trunk').where('id', '=', SEEDED_TRUNK).execute();
    return;
  }
  const password = await seal.sealText(trunk.password, SEEDED_TRUNK);
  const row = { ...trunk, password, transport: 'udp', account_id: null };
  await db
    .insertInto('trunk')
    .values({ id: SEEDED_TRUNK, ...row })
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .execute();
}
