/** The REST API on a database of its own, as tests ask it: every answer is held against the OpenAPI document. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, type Credentials, createClient } from '@opentact/client';
import type { FastifyInstance } from 'fastify';
import { type RestNeeds, rest } from '../app.ts';
import type { Engine } from '../calls/engine.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { passingSeal } from '../database/sealing/seal.ts';
import { testDatabase } from '../database/testing/test-database.ts';
import { seedFreeCalls } from '../demo/seed-money.ts';
import { Refusal } from '../kernel/refusal.ts';
import { createHttp } from '../rest/http.ts';
import { checkAnswers } from './contract.ts';

export const JWT_KEY = new TextEncoder().encode('k'.repeat(32));
export const PASSWORD = 'correct horse battery';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT' | 'HEAD';
export type Asked = { as?: string; basic?: string; body?: unknown; from?: string; headers?: Record<string, string> };
export type Answer = { status: number; body: { success: boolean; payload: never; message: string; fields: never } };
export type Person = { email: string; jwt: string; uuid: string; accountId: string };

export type RestScene = {
  http: FastifyInstance;
  db: Database;
  /** `$OPENTACT_HOME` of this installation. */
  home: string;
  /** What went wrong on our side so far; `close` fails where there is any. */
  faults: unknown[];
  /** Asks a path below `/rest`, each time from another address unless `from` is said. */
  ask(method: Method, path: string, of?: Asked): Promise<Answer>;
  /** The TypeScript client of this API. */
  client(of?: Credentials): Client;
  /** Sends a document as multipart in the field `file`. */
  upload(path: string, as: string, content: string | Buffer, of?: { name?: string; type?: string }): Promise<Answer>;
  /** A new account: its user's e-mail and a JWT. */
  signedUp(): Promise<Person>;
  credit(email: string, amount: number): Promise<unknown>;
  /** Numbers to order, in an area of their own. */
  stock(npa: string, count: number, mrc?: string): Promise<number[]>;
  close(): Promise<void>;
};

/** No call lives; a document with `<Dail` is wrong. */
export const idleEngine: Engine = {
  check: async (xml) => (xml.includes('<Dail') ? 'line 1, column 11: <Dail> is no element' : undefined),
  call: async () => undefined,
  place: () => Promise.reject(new Refusal('unavailable', 'no flow engine answers now; try again')),
  bridge: () => Promise.reject(new Error('there is no call')),
  run: () => Promise.reject(new Error('there is no call')),
  hangup: () => Promise.reject(new Error('there is no call')),
  close() {},
};

/** @param needs what this test wants otherwise than `idleEngine` and no credit at sign-up; `db`: one that another scene has */
export async function openRestScene(
  needs: Partial<RestNeeds> = {},
  serves: { patienceMs?: number; trustedProxies?: string[] } = {},
): Promise<RestScene> {
  const home = await mkdtemp(join(tmpdir(), 'opentact-rest-'));
  const database = needs.db ? undefined : await testDatabase(home);
  const db = needs.db ?? openDatabase(database!.url);
  if (database) await seedFreeCalls(db, true);
  const faults: unknown[] = [];
  const recordings = join(home, 'recordings');
  await mkdir(recordings);
  const all = {
    recordings,
    db,
    jwtKey: JWT_KEY,
    sealing: passingSeal(),
    engine: idleEngine,
    signUpCredit: 0,
    told: (e: unknown) => faults.push(e),
    ...needs,
  };
  const http = createHttp({ checks: {}, recordings, token: undefined, rest: rest(all), ...serves });
  checkAnswers(http, faults);
  await http.ready();

  let addresses = 0;
  const fresh = () => `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses++ & 255}`;
  const id = randomUUID().slice(0, 8);
  let people = 0;
  const ask: RestScene['ask'] = async (method, path, of = {}) => {
    const answer = await http.inject({
      method,
      url: `/rest${path}`,
      remoteAddress: of.from ?? fresh(),
      headers: {
        ...(of.as && { 'x-auth-token': of.as }),
        ...(of.basic && { authorization: `Basic ${Buffer.from(of.basic).toString('base64')}` }),
        ...of.headers,
      },
      ...(of.body !== undefined && { payload: of.body as object }),
    });
    return {
      status: answer.statusCode,
      body: /json/.test(String(answer.headers['content-type'])) ? answer.json() : {},
    } as Answer;
  };
  return {
    http,
    db,
    home,
    faults,
    ask,
    client: (credentials) =>
      createClient({
        url: 'http://127.0.0.1',
        ...credentials,
        async fetch(address, request) {
          const asked = new Request(address as URL, request);
          const { pathname, search } = new URL(asked.url);
          const answer = await http.inject({
            method: asked.method as 'GET',
            url: `${pathname}${search}`,
            headers: Object.fromEntries(asked.headers),
            payload: Buffer.from(await asked.arrayBuffer()),
            remoteAddress: fresh(),
          });
          const type = { 'content-type': String(answer.headers['content-type'] ?? 'none') };
          return new Response(answer.rawPayload, { status: answer.statusCode, headers: type });
        },
      }),
    upload(path, as, content, { name = 'flow.xml', type = 'application/xml' } = {}) {
      const boundary = 'b0undary';
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`;
      const body = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)]);
      return ask('POST', path, { as, body, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } });
    },
    async signedUp() {
      const email = `person${people++}-${id}@example.test`;
      const made = await ask('POST', '/user', { body: { email, password: PASSWORD, first_name: 'Ann' } });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const { body } = await ask('GET', '/auth', { basic: `${email}:${PASSWORD}` });
      const { token, uuid, account } = body.payload as { token: string; uuid: string; account: { uuid: string } };
      return { email, jwt: token, uuid, accountId: account.uuid };
    },
    credit: (email, amount) =>
      db
        .updateTable('account')
        .set({ balance: String(amount) })
        .where('email', '=', email)
        .execute(),
    async stock(npa, count, mrc = '1.5') {
      const tns = Array.from({ length: count }, (_, i) => `1${npa}5550${100 + i}`);
      const place = { country: 'US', state: 'NY', city: 'New York', rate_center: 'NWYRCYZN01' };
      await db
        .insertInto('inventory')
        .values(tns.map((tn) => ({ tn, ...place, features: ['voice', 'sms'], nrc: '0.5', mrc })))
        .execute();
      return tns.map(Number);
    },
    async close() {
      await http.close();
      if (database) await db.destroy();
      await database?.close();
      await rm(home, { recursive: true });
      assert.deepEqual(faults, []);
    },
  };
}
