/** Sign-up where strangers reach it: switched off, without credit beside a trunk, and nobody let in before the e-mail is theirs. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { passingSeal } from '../../database/sealing/seal.ts';
import { seedTrunk } from '../../demo/seed.ts';
import { openRestScene, PASSWORD } from '../../testing/scene.ts';
import { openStand, type Stand } from '../../testing/stand.ts';
import type { Letter } from '../mail.ts';
import { createVerification } from './verification.ts';

const inbox: Letter[] = [];
const mail = { send: async (letter: Letter) => void inbox.push(letter), close() {} };
let stand: Stand;
before(async () => {
  stand = await openStand({ mail, verifiesEmail: true });
});
after(() => stand.close());

const OTHER = 'another fine password';
const signUp = (email: string, password = PASSWORD) => stand.ask('POST', '/user', { body: { email, password } });
const logIn = (email: string, password = PASSWORD) => stand.ask('GET', '/auth', { basic: `${email}:${password}` });
async function tokenFor(email: string): Promise<string> {
  for (let tries = 0; tries < 100; tries++, await sleep(10)) {
    const found = inbox.findLast(({ to }) => to === email);
    if (found) return /^[\w-]{43}$/m.exec(found.text)![0];
  }
  throw new Error(`no mail to ${email}`);
}
const verify = (email: string, token: string, password = PASSWORD) =>
  stand.ask('POST', '/user/verification', { body: { email, password, token } });

test('nobody is let in before the address was shown to be theirs, by token and password', async () => {
  assert.equal((await signUp('Eve@example.test', OTHER)).status, 201);
  assert.equal((await logIn('eve@example.test', OTHER)).status, 401);
  const first = await tokenFor('eve@example.test');
  // The owner of the address has the mail and not the password: nobody enters by a stranger's.
  assert.equal((await verify('eve@example.test', first)).status, 404);
  assert.equal((await verify('eve@example.test', 'x'.repeat(43), OTHER)).status, 404);
  // The owner signs up; what the stranger had begun is gone.
  inbox.length = 0;
  assert.equal((await signUp('eve@example.test')).status, 201);
  const second = await tokenFor('eve@example.test');
  assert.equal((await verify('eve@example.test', first, OTHER)).status, 404);
  assert.equal((await verify('eve@example.test', second)).status, 200);
  assert.equal((await verify('eve@example.test', second)).status, 404, 'once');
  assert.equal((await logIn('eve@example.test')).status, 200);
  assert.equal((await signUp('eve@example.test', OTHER)).status, 201, 'it is somebody’s now, and nobody is told so');
  assert.equal((await logIn('eve@example.test', OTHER)).status, 401);
  const accounts = await stand.db
    .selectFrom('account')
    .select('id')
    .where('email', 'ilike', 'eve@example.test')
    .execute();
  assert.equal(accounts.length, 1);
});

test('who signs up with somebody’s address hears what they would hear of any; its owner is told', async () => {
  const person = { first_name: 'Zoë', account: { name: 'Mine' } };
  const body = (email: string) => ({ body: { email, password: PASSWORD, ...person } });
  assert.equal((await stand.ask('POST', '/user', body('zoe@example.test'))).status, 201);
  assert.equal((await verify('zoe@example.test', await tokenFor('zoe@example.test'))).status, 200);
  const known = await stand.ask('POST', '/user', body('Zoe@example.test'));
  const fresh = await stand.ask('POST', '/user', body('new@example.test'));
  const said = ({ status, payload }: typeof known) => {
    const { uuid, email, account, created_on, modified_on, ...rest } = payload;
    const { uuid: _, created_on: __, modified_on: ___, email: ____, ...ofAccount } = account;
    return { status, rest, ofAccount, all: [uuid, email, created_on, modified_on].every(Boolean) };
  };
  assert.deepEqual(said(known), said(fresh));
  assert.equal(known.payload.email, 'zoe@example.test');
  assert.match(inbox.findLast(({ to }) => to === 'zoe@example.test')!.text, /has a user there already/);
  const { length } = await stand.db.selectFrom('person').select('id').where('email', 'ilike', '%zoe%').execute();
  assert.equal(length, 1, 'nothing was made');
  assert.equal((await stand.ask('POST', '/user', body('zoe@example.test'))).status, 201);
  assert.equal((await stand.ask('POST', '/user', body('zoe@example.test'))).status, 429, 'as of any address');
});

test('sign-ups of one source are few a day; their bound is none for an account’s own users', async () => {
  const { payload } = await logIn('eve@example.test');
  await sql`
    insert into account (id, name) values (gen_random_uuid(), 'full')`.execute(stand.db);
  await sql`
    insert into person (email, account_id, password_hash)
      select 'full' || n || '@example.test', (select id from account where name = 'full'), '' from generate_series(1, 10000) as n`.execute(
    stand.db,
  );
  await sql`
    insert into email_verification (person_id, digest, email, expires_on, source)
      select id, sha256(email::bytea), email, now() + interval '1 day', 'elsewhere' from person where email like 'full%'`.execute(
    stand.db,
  );
  assert.equal((await signUp('crowded@example.test')).status, 429);
  const own = { email: 'own@example.test', password: OTHER };
  assert.equal((await stand.ask('POST', '/account/user', { as: payload.token, body: own })).status, 201);
  await stand.db.deleteFrom('email_verification').where('source', '=', 'elsewhere').execute();
  await stand.db.deleteFrom('person').where('email', 'like', 'full%').execute();

  const verified = createVerification({ db: stand.db, mail, required: true, told() {} });
  const open = (n: number, source: string) =>
    stand.db.transaction().execute((tx) => verified.begin(tx, payload.uuid, `s${n}@example.test`, { source }));
  for (let n = 0; n < 50; n++) await open(n, 'one');
  await assert.rejects(open(50, 'one'), { status: 429 });
  await open(50, 'another');
  await stand.db.deleteFrom('email_verification').where('person_id', '=', payload.uuid).execute();
});

test('a colleague is let in, and another address counts, once it is verified', async () => {
  const { payload } = await logIn('eve@example.test');
  const as = payload.token;
  const added = await stand.ask('POST', '/account/user', { as, body: { email: 'bob@example.test', password: OTHER } });
  assert.equal(added.status, 201, added.message);
  assert.equal((await logIn('bob@example.test', OTHER)).status, 401);
  assert.equal((await verify('bob@example.test', await tokenFor('bob@example.test'), OTHER)).status, 200);
  assert.equal((await logIn('bob@example.test', OTHER)).status, 200);

  const moved = await stand.ask('PATCH', `/user/${payload.uuid}`, { as, body: { email: 'eva@example.test' } });
  assert.deepEqual([moved.status, moved.payload.email], [200, 'eve@example.test']);
  assert.equal((await logIn('eva@example.test')).status, 401);
  const token = await tokenFor('eva@example.test');
  assert.equal((await verify('eva@example.test', token)).payload.email, 'eva@example.test');
  assert.equal((await logIn('eve@example.test')).status, 401);
  assert.equal((await logIn('eva@example.test')).status, 200);
});

test('mails to one address are few, and a token that was never used takes its user along after a day', async () => {
  for (let i = 0; i < 3; i++) assert.equal((await signUp('many@example.test')).status, 201);
  assert.equal((await signUp('many@example.test')).status, 429);
  const token = await tokenFor('many@example.test');
  await stand.db
    .updateTable('email_verification')
    .set({ expires_on: new Date(0) })
    .execute();
  assert.equal((await verify('many@example.test', token)).status, 404);
  assert.equal((await signUp('next@example.test')).status, 201);
  const left = await stand.db.selectFrom('person').select('email').where('email', '=', 'many@example.test').execute();
  assert.deepEqual(left, []);
  const accounts = await stand.db.selectFrom('account').select('id').where('email', '=', 'many@example.test').execute();
  assert.deepEqual(accounts, []);
});

test('no credit beside a trunk of the installation, and no sign-up where it is switched off', async () => {
  const on = await openRestScene({ db: stand.db, signUpCredit: 10 });
  const body = (email: string) => ({ body: { email, password: PASSWORD } });
  const rich = await on.ask('POST', '/user', body('rich@example.test'));
  assert.equal((rich.body.payload as { account: { balance: number } }).account.balance, 10);
  await seedTrunk(stand.db, { user: 'u', password: 'p', host: 'sip.example', port: 5060 }, passingSeal());
  const poor = await on.ask('POST', '/user', body('poor@example.test'));
  assert.equal((poor.body.payload as { account: { balance: number } }).account.balance, 0);
  await on.close();
  const off = await openRestScene({ db: stand.db, isSignUpOpen: false });
  assert.equal((await off.ask('POST', '/user', body('shut@example.test'))).status, 403);
  await off.close();
});
