/** A dump of the database opens nothing: what is secret in it is sealed by keys that lie outside, and those change while calls go on. */
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { createDirectory } from '../../directory/directory.ts';
import { openRestScene, type RestScene } from '../../testing/scene.ts';
import { newKey, parseKeys, sealKeys } from './keys.ts';
import { sealRows, sealStatus } from './rows.ts';
import { createSeal } from './seal.ts';
import { sharedSecret } from './shared-secret.ts';

let home: string;
let scene: RestScene;
const fromHome = () => sealKeys({ home, sealKeys: undefined });

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'opentact-seal-'));
  scene = await openRestScene({ sealing: createSeal(fromHome()) });
});
after(async () => {
  await scene.close();
  await rm(home, { recursive: true });
});

/** Every row of every table, as a dump has it. */
async function dump(): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(scene.db);
  const texts = await Promise.all(
    rows.map(async ({ name }) => {
      const found = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} as t`.execute(scene.db);
      return found.rows.map(({ row }) => row).join('\n');
    }),
  );
  return texts.join('\n');
}
const shapes = (secret: Buffer) => ['latin1', 'hex', 'base64', 'base64url'].map((as) => secret.toString(as as 'hex'));

test('what stood in the database as it was, or sealed by a key beside it, is sealed at a start; a dump holds no secret', async () => {
  const { db } = scene;
  const { accountId } = await scene.signedUp();
  const key = Buffer.from(randomUUID());
  const app = { id: randomUUID(), account_id: accountId, name: 'A', signing_key: key, static_document: '' };
  const media = { auto_answer: true, call_flow_url: '', call_flow_method: 'GET', call_flow_timeout_ms: 0 };
  await db
    .insertInto('app')
    .values({ ...app, ...media, max_call_length_ms: 1000 })
    .execute();
  const password = 'the-secret-of-a-carrier';
  const trunk = { id: 'carrier', host: '192.0.2.1', port: 5060, transport: 'udp', user: 'u', account_id: null };
  await db
    .insertInto('trunk')
    .values([
      { ...trunk, password },
      { ...trunk, id: 'open', password: '' },
    ])
    .execute();
  const [jwt, old] = [randomBytes(32), randomBytes(32)];
  await db
    .insertInto('secret')
    .values([
      { name: 'jwt', value: jwt },
      { name: 'seal', value: old },
    ])
    .execute();
  const domain = { id: randomUUID(), account_id: accountId, domain: 'old.example', app_id: app.id };
  await db.insertInto('sip_domain').values(domain).execute();
  const user = randomUUID();
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', old, nonce).setAAD(Buffer.from(user));
  const digests = Buffer.concat([nonce, cipher.update('the digests'), cipher.final(), cipher.getAuthTag()]);
  const lookups = { ha1b_md5_lookup: randomBytes(32), ha1b_sha256_lookup: randomBytes(32) };
  await db
    .insertInto('sip_user')
    .values({ id: user, domain_id: domain.id, login: 'ann', digests, ...lookups, tn_lease_id: null })
    .execute();
  const ofAccount = Buffer.from('the key of an account, as it was');
  await db.updateTable('account').set({ signing_key: ofAccount }).where('id', '=', accountId).execute();

  const secrets = [key, Buffer.from(password), jwt, old, ofAccount].flatMap(shapes);
  const found = async () => {
    const text = await dump();
    return secrets.filter((secret) => text.includes(secret)).length;
  };
  assert.ok((await found()) >= 5, 'the search finds what isn’t sealed');
  const seal = createSeal(fromHome());
  const directory = createDirectory(db, seal, undefined, 0);
  const reads = async () => {
    assert.deepEqual(await directory.signingKey(app.id), key);
    assert.deepEqual(await directory.signingKey(accountId), ofAccount);
    assert.equal((await directory.trunk('carrier')).password, password);
    assert.equal((await directory.trunk('open')).password, '');
    assert.deepEqual(Buffer.from(await sharedSecret(db, 'jwt', seal)), jwt);
  };
  await reads();
  const sealed = await Promise.all([sealRows(db, seal), sealRows(db, createSeal(fromHome()))]);
  assert.equal(sealed[0]! + sealed[1]!, 5, 'each by one of two starts');
  await reads();
  assert.equal(await found(), 0);
  const { digests: now } = await db
    .selectFrom('sip_user')
    .select('digests')
    .where('id', '=', user)
    .executeTakeFirstOrThrow();
  assert.equal(String(await seal.open(now, user)), 'the digests');
  await assert.rejects(seal.open(now, randomUUID()), 'another row’s');
  assert.equal((await stat(join(home, 'seal.keys'))).mode & 0o777, 0o600);
  assert.equal(await sealRows(db, seal), 0);
});

test('what is made by REST is sealed from the beginning', async () => {
  const { jwt } = await scene.signedUp();
  const made = await scene.ask('POST', '/sip/app', { as: jwt, body: { name: 'B' } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal((await sealStatus(scene.db)).get('none'), undefined);
});

test('a new key seals everything again while the process that runs reads on; a key that is gone is named', async () => {
  const { db } = scene;
  const running = createSeal(fromHome());
  const row = await db.selectFrom('app').select(['id', 'signing_key']).executeTakeFirstOrThrow();
  const secret = await running.open(row.signing_key, row.id);
  const keys = fromHome();
  const [first] = await keys.read();
  const rotate = async () => {
    await keys.settled();
    await sealRows(db, createSeal(keys));
    await keys.add!(newKey());
    return sealRows(db, createSeal(keys));
  };
  const count = [...(await sealStatus(db)).values()].reduce((sum, n) => sum + n, 0);
  assert.equal(await rotate(), count);
  const now = async () =>
    (await db.selectFrom('app').select('signing_key').where('id', '=', row.id).executeTakeFirstOrThrow()).signing_key;
  assert.deepEqual(await running.open(await now(), row.id), secret, 'without a restart');
  assert.deepEqual(await running.open(row.signing_key, row.id), secret, 'two are valid');
  const [newest, before] = await keys.read();
  assert.deepEqual(before, first);
  assert.deepEqual([...(await sealStatus(db))], [[newest!.id.toString('hex'), count]]);
  const file = join(home, 'seal.keys');
  await utimes(file, new Date(0), new Date(0)); // the last rotation was long ago
  await rotate();
  await assert.rejects(createSeal(keys).open(row.signing_key, row.id), /not among the seal keys/, 'a third isn’t');
  assert.deepEqual(await running.open(await now(), row.id), secret);
  // Sealed by a key that nobody has: told, and left as it is.
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${randomBytes(32).toString('base64')}\n`);
  await assert.rejects(sealRows(db, createSeal(keys)), new RegExp(`${count} values can't be opened`));
  await writeFile(file, text);
  assert.equal(await sealRows(db, createSeal(keys)), 0);
});

test('keys of the environment: one a line, two at most; what is none is refused without telling it', async () => {
  const [a, b] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const keys = sealKeys({ home: '/nowhere', sealKeys: `${a}\n${b}\n` });
  assert.equal((await keys.read()).length, 2);
  assert.equal(keys.add, undefined);
  for (const wrong of ['', 'c2hvcnQ=', `${a},${a}x`, `${a} ${b} ${a}`])
    assert.throws(
      () => parseKeys(wrong, 'K'),
      (error: Error) => error.message.startsWith('K: ') && !error.message.includes(a),
    );
});
