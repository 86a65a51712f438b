/** How often credentials may be wrong: in a wave, from one network, behind a proxy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openRestScene, PASSWORD } from '../../testing/scene.ts';
import { openStand, type Stand } from '../../testing/stand.ts';
import { createAttempts } from './attempts.ts';
import { sourceOf } from './source.ts';

let stand: Stand;
before(async () => {
  stand = await openStand();
});
after(() => stand.close());

test('of a wave of guesses from one address ten are judged', async () => {
  const { email } = await stand.signedUp();
  const guess = (_: unknown, i: number) =>
    stand.ask('GET', '/auth', { basic: `nobody${i}-${email}:wrong`, from: '10.7.7.7' });
  const found = Object.groupBy(await Promise.all(Array.from({ length: 300 }, guess)), ({ status }) => `${status}`);
  assert.deepEqual([found['401']?.length, found['429']?.length], [10, 290]);
  assert.equal((await stand.ask('GET', '/auth', { basic: `${email}:${PASSWORD}`, from: '10.7.7.7' })).status, 429);
  assert.equal((await stand.ask('GET', '/auth', { basic: `${email}:${PASSWORD}` })).status, 200, 'from elsewhere');
});

test('guesses from elsewhere keep nobody out of where they came in before; from nowhere known they are few', async () => {
  const { email } = await stand.signedUp();
  const logIn = (password: string, from: string) => stand.ask('GET', '/auth', { basic: `${email}:${password}`, from });
  assert.equal((await logIn(PASSWORD, '10.8.0.1')).status, 200);
  const guess = (i: number) => logIn('wrong', `10.9.${i % 8}.1`);
  const found = [];
  for (let i = 0; i < 40; i++) found.push((await guess(i)).status);
  assert.deepEqual(
    [found.filter((s) => s === 401).length, found.at(-1)],
    [30, 429],
    'whoever guesses from many places',
  );
  assert.equal((await logIn(PASSWORD, '10.8.0.1')).status, 200, 'the right one, from where it was before');
  assert.equal((await logIn(PASSWORD, '10.8.0.2')).status, 429, 'from nowhere known');
  for (let i = 0; i < 10; i++) await logIn('wrong', '10.8.0.1');
  assert.equal((await logIn(PASSWORD, '10.8.0.1')).status, 429, 'an address has its own bound');
});

test('guesses count while they are judged; a right one and a fault are forgiven; the window ends', async () => {
  let now = 0;
  const attempts = createAttempts({ max: 2, windowMs: 1000 }, () => now);
  const judged = (found: string | undefined) => attempts.judged(['a', 'b'], async () => found);
  for (let i = 0; i < 5; i++) assert.equal(await judged('right'), 'right');
  await assert.rejects(
    attempts.judged(['a'], () => Promise.reject(new Error('a fault'))),
    /a fault/,
  );
  const wave = await Promise.allSettled([judged(undefined), judged(undefined), judged('right')]);
  assert.deepEqual(
    wave.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  await assert.rejects(judged('right'), { status: 429 });
  now = 1000;
  assert.equal(await judged('right'), 'right');
});

test('an IPv6 address counts by its /64', async () => {
  for (const [ip, source] of [
    ['192.0.2.1', 'address 192.0.2.1'],
    ['::ffff:192.0.2.1', 'address 192.0.2.1'],
    ['2001:db8:0:1:a:b:c:d', 'address 2001:db8:0:1::/64'],
    ['2001:DB8:0:1::9', 'address 2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'address fe80:0:0:0::/64'],
    ['::1', 'address 0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', 'address 64:ff9b:0:0::/64'],
  ] as const)
    assert.equal(sourceOf(ip), source, ip);
  const guess = (i: number) => stand.ask('GET', '/auth', { basic: `v6-${i}@x.test:wrong`, from: `2001:db8::${i + 1}` });
  const found = [];
  for (let i = 0; i < 11; i++) found.push((await guess(i)).status);
  assert.deepEqual(found, [...Array(10).fill(401), 429]);
});

test('who is behind a trusted proxy counts by what it says; nobody else may say it', async () => {
  const behind = await openRestScene({ db: stand.db }, { trustedProxies: ['192.0.2.0/24'] });
  const wave = async (from: string) => {
    const found = [];
    for (let i = 0; i < 11; i++) {
      const headers = { 'x-forwarded-for': `198.51.100.${i}` };
      found.push((await behind.ask('GET', '/auth', { basic: `p${i}-${from}@x.test:wrong`, from, headers })).status);
    }
    return found;
  };
  const [trusted, other] = [await wave('192.0.2.9'), await wave('203.0.113.9')];
  await behind.close();
  assert.deepEqual(trusted, Array(11).fill(401));
  assert.deepEqual(other, [...Array(10).fill(401), 429]);
});
