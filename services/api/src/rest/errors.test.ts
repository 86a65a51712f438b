/** What a feature refuses is answered by status, in the envelope; it names fields as those of the body. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fastify } from 'fastify';
import pg from 'pg';
import { markAway } from '../database/away.ts';
import { invalid, Refusal, type RefusalCode } from '../kernel/refusal.ts';
import { answerErrors } from './errors.ts';

/** The answer to a request whose route throws that. */
async function answerTo(error: unknown, method: 'GET' | 'POST' | 'PATCH' | 'PUT' = 'GET') {
  const faults: unknown[] = [];
  const http = fastify();
  answerErrors(http, (fault) => faults.push(fault));
  http.route({
    method,
    url: '/',
    handler: async () => {
      throw error;
    },
  });
  const { statusCode, headers, body } = await http.inject({ method, url: '/' });
  await http.close();
  return { status: statusCode, wait: headers['retry-after'], body: JSON.parse(body), faults };
}

for (const [code, status] of [
  ['invalid', 400],
  ['unaffordable', 402],
  ['not-found', 404],
  ['conflict', 409],
  ['busy', 429],
  ['unavailable', 503],
] as [RefusalCode, number][])
  test(`a refusal that is ${code} is ${status}, and no fault of ours`, async () => {
    const answer = await answerTo(new Refusal(code, 'not now'));
    assert.deepEqual(answer, {
      status,
      wait: { busy: '60', unavailable: '2' }[code as string],
      body: { success: false, message: 'not now', status },
      faults: [],
    });
  });

const ofServer = (message: string, code: string) =>
  Object.assign(new pg.DatabaseError(message, message.length, 'error'), { code });
const ofSocket = (syscall: string, code: string) => Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
const refused = ofSocket('connect', 'ECONNREFUSED');
markAway(refused, 'unreached');
const reset = ofSocket('read', 'ECONNRESET');
markAway(reset, 'unanswered');

const TRY_AGAIN = 'the database is away or has no time now; try again';
for (const error of [
  new Error('timeout exceeded when trying to connect'),
  new Error('Connection terminated due to connection timeout'),
  ofServer('canceling statement due to statement timeout', '57014'),
  ofServer('sorry, too many clients already', '53300'),
  ofServer('the database system is starting up', '57P03'),
  refused,
])
  test(`a database that is away is 503 and told to the operator: ${error.message}`, async () => {
    for (const method of ['GET', 'POST'] as const) {
      const { status, wait, body, faults } = await answerTo(error, method);
      assert.deepEqual([status, wait, faults], [503, '2', [error]]);
      assert.equal(body.message, TRY_AGAIN);
    }
  });

for (const error of [
  new Error('Connection terminated unexpectedly'),
  new Error('Client has encountered a connection error and is not queryable'),
  new Error('Query read timeout'),
  ofServer('terminating connection due to administrator command', '57P01'),
  reset,
])
  test(`a connection that broke may have done what was asked: ${error.message}`, async () => {
    for (const method of ['POST', 'PATCH'] as const) {
      const { status, wait, body, faults } = await answerTo(error, method);
      assert.deepEqual([status, wait, faults], [503, undefined, [error]]);
      assert.equal(body.message, 'the database broke off; it may have been done; look before you ask again');
    }
    for (const method of ['GET', 'PUT'] as const) {
      const { status, wait, body } = await answerTo(error, method);
      assert.deepEqual([status, wait, body.message], [503, '2', TRY_AGAIN]);
    }
  });

test('a connection of something else that failed is not the database', async () => {
  for (const error of [ofSocket('connect', 'ECONNREFUSED'), ofSocket('read', 'ECONNRESET')])
    assert.equal((await answerTo(error)).status, 500);
});

for (const code of ['23505', '57', 'ENOENT', 42])
  test(`another fault stays ours: ${code}`, async () => {
    assert.equal((await answerTo(Object.assign(new Error('no'), { code }))).status, 500);
  });

test('a field that is refused is one of the body', async () => {
  const { status, body } = await answerTo(invalid({ tn_lease: { message: 'is no number', value: '7' } }));
  const fields = { 'body.tn_lease': { message: 'is no number', value: '7' } };
  assert.deepEqual([status, body], [400, { success: false, message: 'some parameters are wrong', status, fields }]);
});

test('a method that a path hasn’t is 405 with those it has; a path that isn’t there is 404', async () => {
  const http = fastify();
  await http.register(
    async (rest) => {
      answerErrors(rest, () => {});
      rest.get('/order', async () => ({}));
      await rest.register(async (inside) => {
        inside.post('/order', async () => ({}));
        inside.get('/tn/:uuid/file.wav', async () => ({}));
        inside.delete('/tn/:uuid', async () => ({}));
      });
    },
    { prefix: '/rest' },
  );
  const ask = async (method: 'GET' | 'PUT' | 'PATCH', url: string) => {
    const { statusCode, headers, body } = await http.inject({ method, url });
    return [statusCode, headers.allow, JSON.parse(body).message];
  };
  assert.deepEqual(await ask('PUT', '/rest/order?a=1'), [
    405,
    'GET, HEAD, POST',
    'no such method: PUT /rest/order; there is GET, HEAD, POST',
  ]);
  assert.deepEqual((await ask('GET', '/rest/tn/7')).slice(0, 2), [405, 'DELETE']);
  assert.deepEqual((await ask('PATCH', '/rest/tn/7/file.wav')).slice(0, 2), [405, 'GET, HEAD']);
  assert.deepEqual((await ask('GET', '/rest/tn/7/fileXwav')).slice(0, 2), [404, undefined]);
  assert.deepEqual(await ask('GET', '/rest/orders'), [404, undefined, 'no such resource: GET /rest/orders']);
  await http.close();
});
