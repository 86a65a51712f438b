/** What a person reads who sent something wrong: each field with what it must be, all of them at once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { Type } from 'typebox';
import { contractOf } from '../testing/contract.ts';
import { answers, Nothing, ok, optionalBody, PageQuery, Uuid, UuidPath } from './envelope.ts';
import { answerErrors } from './errors.ts';
import { WithoutEffect } from './known.ts';
import { takeDocuments } from './upload.ts';
import { validateRequests } from './validation.ts';

const Body = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 5 }),
  password: Type.Optional(Type.String({ minLength: 8 })),
  method: Type.Optional(Type.Union([Type.Literal('GET'), Type.Literal('POST')])),
  app: Type.Optional(Type.Union([Uuid, Type.Null()])),
  note: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  npa: Type.Optional(Type.String({ pattern: '^[0-9]{3}$', description: 'three digits' })),
  items: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 9 }), { maxItems: 2 })),
  at: Type.Optional(Type.String({ format: 'date-time' })),
  where: Type.Optional(Type.Union([Type.Object({ city: Type.String() }), Type.Null()])),
  old: WithoutEffect,
});
let http: FastifyInstance;

before(async () => {
  http = fastify({ bodyLimit: 10_000 });
  answerErrors(http, () => {});
  validateRequests(http);
  const response = answers(Type.Unknown());
  http.post('/thing', { schema: { body: Body, response } }, async ({ body }) => ok(body));
  http.post('/thing/search', { schema: { body: optionalBody(Body), querystring: PageQuery } }, async (r) =>
    ok([r.query, r.body ?? null]),
  );
  http.get('/thing/:uuid', { schema: { params: UuidPath, response: answers(Nothing) } }, async () => ok({}));
  await http.register(async (inside) => {
    await takeDocuments(inside);
    inside.post('/file', { schema: { consumes: ['multipart/form-data'] } }, async (request) => request.file());
  });
  await http.ready();
});
after(() => http.close());

const post = async (payload: unknown, url = '/thing', type = 'application/json') => {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return (await http.inject({ method: 'POST', url, payload: text, headers: { 'content-type': type } })).json();
};
const fieldsOf = async (payload: unknown, url?: string) => (await post(payload, url)).fields;

test('each wrong field is told with what it must be and what came; all at once', async () => {
  assert.deepEqual(
    await fieldsOf({ method: 'PUT', app: 'x', npa: '12', items: [1, 10, 3], at: '2026-13-01T00:00:00Z' }),
    {
      'body.name': { message: 'is missing' },
      'body.method': { message: 'must be one of “GET”, “POST”', value: 'PUT' },
      'body.app': { message: 'must be a UUID or null', value: 'x' },
      'body.npa': { message: 'must be text like this: three digits', value: '12' },
      'body.items': { message: 'must be a list of 2 items at most' },
      'body.items.1': { message: 'must be a whole number from 0 to 9', value: 10 },
      'body.at': { message: 'must be a moment like 2026-01-31T08:00:00.000Z', value: '2026-13-01T00:00:00Z' },
    },
  );
  assert.deepEqual(await fieldsOf({ name: 'too long', where: { city: 1 } }), {
    'body.name': { message: 'must be text of 1 to 5 characters', value: 'too long' },
    'body.where.city': { message: 'must be text', value: 1 },
  });
  assert.deepEqual(await fieldsOf('[]'), { body: { message: 'must be an object' } });
  assert.deepEqual(await fieldsOf('[]', '/thing/search'), { body: { message: 'must be an object or null' } });
});

test('a secret is never told back', async () => {
  assert.deepEqual(await fieldsOf({ name: 'a', password: 'hunter2' }), {
    'body.password': { message: 'must be text of 8 characters or more' },
  });
});

test('a body is taken as it is: null stays null, a number as text is none; in the query it is one', async () => {
  assert.deepEqual((await post({ name: 'a', note: null })).payload, { name: 'a', note: null });
  assert.deepEqual(await fieldsOf({ name: 5 }), {
    'body.name': { message: 'must be text of 1 to 5 characters', value: 5 },
  });
  const found = await post('', '/thing/search?take=7');
  assert.deepEqual(found.payload, [{ take: 7, skip: 0 }, null]);
  assert.deepEqual(await fieldsOf('', '/thing/search?take=101'), {
    'query.take': { message: 'must be a whole number from 1 to 100', value: 101 },
  });
});

test('what no schema names is refused by its place, at every depth, with the nearest name that there is', async () => {
  const given = { name: 'a', methd: 'GET', account_id: 'b', where: { ctiy: 'c', owner: 'd' }, toString: 1 };
  assert.deepEqual(await fieldsOf(given), {
    'body.methd': { message: 'is unknown; did you mean method?' },
    'body.account_id': { message: 'is unknown' },
    'body.where.ctiy': { message: 'is unknown; did you mean city?' },
    'body.where.owner': { message: 'is unknown' },
    'body.toString': { message: 'is unknown' },
    'body.where.city': { message: 'is missing' },
  });
  assert.deepEqual(await fieldsOf({ Name: 'a' }), {
    'body.Name': { message: 'is unknown; did you mean name?' },
    'body.name': { message: 'is missing' },
  });
  assert.deepEqual(await fieldsOf('', '/thing/search?tkae=7&jwt=x'), {
    'query.tkae': { message: 'is unknown; did you mean take?' },
  });
});

test('what the reference names and nothing is done by is taken, and reaches no route', async () => {
  assert.deepEqual((await post({ name: 'a', old: { any: 'thing' } })).payload, { name: 'a' });
});

test('text that no database keeps is refused by its place: NUL, half of a character', async () => {
  assert.deepEqual(await fieldsOf('{"name":"a\\u0000"}'), {
    'body.name': { message: 'must not hold the character NUL' },
  });
  assert.deepEqual(await fieldsOf('{"name":"\\ud800"}'), { 'body.name': { message: 'must be well-formed Unicode' } });
  assert.deepEqual(await fieldsOf(`{"name":${'['.repeat(100)}${']'.repeat(100)}}`), {
    [`body.name${'.0'.repeat(19)}`]: { message: 'must not be nested deeper than 20 levels' },
  });
  for (const at of [
    '2026-01-01T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T08:00:00Z',
    '2026-01-01T00:00:00+16:00',
  ])
    assert.ok('body.at' in (await fieldsOf({ name: 'a', at })), at);
});

test('what is no JSON, too long or of another type is told as such', async () => {
  const status = async (payload: string, url?: string, type?: string) => {
    const { status, message } = await post(payload, url, type);
    return `${status} ${message}`;
  };
  assert.match(await status('{"name":'), /^400 .*not valid JSON/);
  assert.match(await status('{"__proto__":{}}'), /^400 /);
  assert.equal(await status(JSON.stringify({ name: 'x'.repeat(10_000) })), '413 the body is longer than 10000 bytes');
  assert.equal(await status('<a/>', '/thing', 'text/xml'), '415 this takes application/json, not text/xml');
  assert.equal(await status('a', '/thing', 'text/plain'), '415 this takes application/json, not text/plain');
  assert.equal(await status('{}', '/file'), '415 this takes multipart/form-data, not application/json');
});

test('the check of answers finds one that the document doesn’t have', () => {
  const schema = { type: 'object', properties: { success: { const: true } }, required: ['success'] };
  const responses = { 200: { content: { 'application/json': { schema } } } };
  const get = { operationId: 'Get', tags: ['Users'], summary: 'Get', responses };
  const contract = contractOf({
    paths: { '/rest/thing': { get } },
    components: { responses: {}, schemas: {}, securitySchemes: {} },
  });
  assert.equal(contract('GET', '/rest/thing', 200, '{"success":true}'), undefined);
  assert.match(contract('GET', '/rest/thing', 200, '{"success":false}')!, /success must be equal to constant/);
  assert.match(contract('GET', '/rest/thing', 409, '{"success":true}')!, /the document has no answer 409/);
});
