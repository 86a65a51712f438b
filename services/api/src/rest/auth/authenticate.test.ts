/** In which places a credential may travel, and whom an identity provider vouches for: a local issuer that the test makes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { PASSWORD } from '../../testing/scene.ts';
import { openStand, type Stand } from '../../testing/stand.ts';
import { googleProvider } from './google.ts';

const CLIENT = 'our-client.example';
let stand: Stand;
let issuer: string;
let server: Server;
let key: CryptoKey;
let stranger: CryptoKey;
let isAway = false;
let asked = 0;
let vouched = '';

before(async () => {
  const pair = await generateKeyPair('RS256');
  key = pair.privateKey;
  stranger = (await generateKeyPair('RS256')).privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  server = createServer((request, response) => {
    asked++;
    if (isAway) return void response.writeHead(500).end();
    const body =
      request.url === '/.well-known/openid-configuration' ? { issuer, jwks_uri: `${issuer}/keys` } : { keys: [jwk] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const facebook = {
    identify: async (token: string) => (token === 'right' ? { id: 'fb-1', email: vouched } : undefined),
  };
  stand = await openStand({ providers: { google: googleProvider(issuer, CLIENT), facebook } });
});
after(async () => {
  await stand.close();
  server.close();
});

type Of = { claims?: JWTPayload; by?: CryptoKey; exp?: string | number; alg?: string };
const idToken = (email: string, sub: string, { claims = {}, by = key, exp = '1h' }: Of = {}) =>
  new SignJWT({ iss: issuer, aud: CLIENT, sub, email, email_verified: true, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'one' })
    .setIssuedAt()
    .setExpirationTime(exp)
    .sign(by);
const google = (token: string) => stand.ask('GET', '/user', { headers: { 'x-auth-google-token': token } });

test('a credential travels in the headers or the query that the reference names', async () => {
  const { jwt, uuid, email } = await stand.signedUp();
  const { payload: made } = await stand.ask('POST', '/token', { as: jwt, body: { name: 'k' } });
  for (const token of [jwt, made.token as string])
    for (const [path, headers] of [
      ['/user', { 'x-auth-token': token }],
      ['/user', { authorization: `Bearer ${token}` }],
      [`/user?jwt=${token}`, {}],
      [`/user?bearer=${token}`, {}],
    ] as const) {
      const found = await stand.ask('GET', path, { headers });
      assert.deepEqual(
        [found.status, found.payload?.uuid],
        [200, uuid],
        `${path.slice(0, 12)} ${Object.keys(headers)}`,
      );
    }
  assert.equal((await stand.ask('GET', '/user', { basic: `${email}:${PASSWORD}` })).status, 200);
  for (const path of ['/user?jwt=', `/user?jwt=${jwt}&jwt=${jwt}`, '/user?bearer=x', '/user?google_token=x'])
    assert.equal((await stand.ask('GET', path)).status, 401, path.slice(0, 20));
});

test('Google vouches for the user of a verified e-mail, and from then on for that user alone', async () => {
  const { email, uuid } = await stand.signedUp();
  const first = await google(await idToken(email.toUpperCase(), 'sub-1'));
  assert.deepEqual([first.status, first.payload.uuid], [200, uuid]);
  assert.equal(first.payload.gmail_user_id, 'sub-1');
  const byQuery = await stand.ask('GET', `/auth?google_token=${await idToken('new-address@example.test', 'sub-1')}`);
  assert.equal(byQuery.payload.uuid, uuid, 'known by the id, whatever the e-mail is now');
  assert.equal((await stand.ask('GET', '/user', { as: byQuery.payload.token })).status, 200);
  assert.equal((await google(await idToken(email, 'sub-2'))).status, 401, 'that user has another id already');
  const other = await stand.signedUp();
  assert.equal((await google(await idToken(other.email, 'sub-1'))).payload.uuid, uuid);
  assert.equal((await google(await idToken('nobody@example.test', 'sub-3'))).status, 401);
});

test('an ID token of another client, issuer, key or time, or of an e-mail that is not verified, is 401', async () => {
  const { email } = await stand.signedUp();
  const right = await idToken(email, 'sub-9');
  const [head, , signature] = right.split('.');
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${right.split('.')[1]}.`;
  const wrong: Record<string, string> = {
    audience: await idToken(email, 'sub-9', { claims: { aud: 'another-client' } }),
    'authorized party': await idToken(email, 'sub-9', { claims: { aud: [CLIENT, 'x'], azp: 'x' } }),
    issuer: await idToken(email, 'sub-9', { claims: { iss: 'https://issuer.example' } }),
    signature: await idToken(email, 'sub-9', { by: stranger }),
    expired: await idToken(email, 'sub-9', { exp: Math.floor(Date.now() / 1000) - 120 }),
    'not verified': await idToken(email, 'sub-9', { claims: { email_verified: false } }),
    'no subject': await idToken(email, ''),
    changed: `${head}.${Buffer.from(JSON.stringify({ email })).toString('base64url')}.${signature}`,
    unsigned,
    nonsense: 'nonsense',
  };
  for (const [what, token] of Object.entries(wrong)) {
    const answer = await google(token);
    assert.deepEqual([answer.status, answer.message], [401, 'wrong credentials'], what);
  }
  assert.equal((await google(right)).status, 200);
});

test('the issuer is asked for its keys once, not for each token; away, it is no fault of the credential', async () => {
  const { email } = await stand.signedUp();
  const before = asked;
  for (let i = 0; i < 5; i++) assert.equal((await google(await idToken(email, 'sub-once'))).status, 200);
  assert.equal(asked, before);
  const other = await openStand({ db: stand.db, providers: { google: googleProvider(issuer, CLIENT) } });
  isAway = true;
  const answer = await other.ask('GET', '/user', { headers: { 'x-auth-google-token': await idToken(email, 's') } });
  isAway = false;
  await other.close();
  assert.deepEqual([answer.status, answer.message], [503, 'Google can’t be asked now; try again']);
});

test('Facebook stands behind the same port; a provider that is not set up says so', async () => {
  const { uuid, email } = await stand.signedUp();
  vouched = email;
  const ask = (token: string) => stand.ask('GET', '/user', { headers: { 'x-auth-facebook-token': token } });
  assert.equal((await ask('right')).payload.uuid, uuid);
  assert.equal((await stand.ask('GET', '/user?facebook_token=right')).payload.uuid, uuid);
  assert.equal((await ask('wrong')).status, 401);
  const bare = await openStand({ db: stand.db });
  for (const kind of ['google', 'facebook']) {
    const answer = await bare.ask('GET', '/user', { headers: { [`x-auth-${kind}-token`]: 'x' } });
    assert.equal(answer.status, 401);
    assert.match(answer.message, /is not set up here/);
  }
  await bare.close();
});

test('a credential of the query stands in no fault that is told', async () => {
  const { jwt } = await stand.signedUp();
  const told: unknown[] = [];
  const faulty = await openStand({
    db: stand.db,
    told: (error) => told.push(error),
    engine: { check: () => Promise.reject(new Error('a fault')) } as never,
  });
  const { jwt: token } = await faulty.signedUp();
  const { payload: app } = await faulty.ask('POST', '/sip/app', { as: token, body: { name: 'x' } });
  const path = `/sip/app/call/flow/${app.uuid}?jwt=${token}`;
  const answer = await faulty.upload(path, '', '<Response/>');
  assert.equal(faulty.faults.splice(0).length, 1, 'that no document describes it is the one fault');
  await faulty.close();
  assert.equal(answer.status, 500);
  assert.equal(told.length, 1);
  const said = JSON.stringify([
    told.map((error) => ({ ...(error as object), text: String((error as Error).stack) })),
    answer,
  ]);
  assert.ok(!said.includes(token));
  assert.ok(!JSON.stringify(await stand.ask('GET', `/nothing?jwt=${jwt}`)).includes(jwt));
});

test('whoever signed up by somebody else’s e-mail is out once its owner comes by Google', async () => {
  const attacker = await stand.signedUp();
  const { email, jwt, uuid } = attacker;
  const { payload: key } = await stand.ask('POST', '/token', { as: jwt, body: { name: 'k' } });
  const reset = {
    person_id: uuid,
    sip_user_id: null,
    digest: Buffer.from(uuid),
    expires_on: new Date(Date.now() + 1e6),
  };
  await stand.db.insertInto('password_reset').values(reset).execute();
  await stand.db.updateTable('person').set({ facebook_user_id: 'fb-attacker' }).where('id', '=', uuid).execute();
  const colleague = { email: `second-${email}`, password: PASSWORD };
  const { payload: second } = await stand.ask('POST', '/account/user', { as: jwt, body: colleague });
  assert.equal(typeof second.uuid, 'string');
  const refused = await google(await idToken(email, 'sub-owner'));
  assert.equal(refused.status, 401);
  assert.match(refused.message, /only user of an account/);
  assert.equal((await stand.ask('GET', '/user', { as: jwt })).status, 200, 'nothing was linked');
  assert.equal((await stand.ask('DELETE', `/account/user/${second.uuid}`, { as: jwt })).status, 200);

  const owner = await stand.ask('GET', `/auth?google_token=${await idToken(email, 'sub-owner')}`);
  assert.deepEqual([owner.status, owner.payload.uuid], [200, uuid]);
  for (const as of [{ as: jwt }, { as: key.token }, { basic: `${email}:${PASSWORD}` }])
    assert.equal((await stand.ask('GET', '/user', as)).status, 401, Object.keys(as)[0]);
  const resets = stand.db.selectFrom('password_reset').select('digest').where('person_id', '=', uuid);
  assert.deepEqual(await resets.execute(), []);
  const { payload: self } = await stand.ask('GET', '/user', { as: owner.payload.token });
  assert.deepEqual([self.gmail_user_id, self.facebook_user_id], ['sub-owner', null]);
  assert.equal((await google(await idToken(email, 'sub-owner'))).status, 200);
});
