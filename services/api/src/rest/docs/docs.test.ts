/** The documentation: a page from our own assets, prose of every part, and examples that work when they are pasted. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fastify } from 'fastify';
import { type Document, operationsOf, readDocument } from '../../reference/document.ts';
import { DOCUMENT, engineOf } from '../../testing/possessions.ts';
import { openRestScene, PASSWORD, type RestScene } from '../../testing/scene.ts';
import { digestOf } from '../auth/credentials.ts';
import { openApi } from '../openapi.ts';

const run = promisify(execFile);
const KEY = 'k'.repeat(48);
const calls = new Map<string, string>();
const lacking = ['bash', 'curl', 'openssl'].filter(
  (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
);
const shell = { skip: lacking.length > 0 && `there is no ${lacking.join(', ')} here` };

let document: Document;
let scene: RestScene;
let environment: NodeJS.ProcessEnv;

/** As the demo has it: an account that runs the installation, with money, an app and a number. */
before(async () => {
  document = await readDocument();
  scene = await openRestScene({ engine: engineOf(calls) });
  const { jwt, email, accountId } = await scene.signedUp();
  await scene.credit(email, 100);
  await scene.stock('305', 20);
  await scene.db.updateTable('account').set({ level: 'ServiceAccount' }).where('id', '=', accountId).execute();
  // Its key never expires.
  const digest = digestOf(KEY);
  const { id: person_id } = await scene.db
    .selectFrom('person')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow();
  await scene.db.insertInto('api_key').values({ digest, account_id: accountId, person_id }).execute();
  const made = await scene.ask('POST', '/sip/app', { as: jwt, body: { name: 'Demo' } });
  await scene.upload(`/sip/app/call/flow/${(made.body.payload as { uuid: string }).uuid}`, jwt, DOCUMENT);
  const [tn] = await scene.stock('212', 1);
  await scene.ask('POST', '/order', { as: jwt, body: { items: [{ tn }] } });
  await scene.http.listen({ host: '127.0.0.1', port: 0 });
  environment = {
    PATH: process.env.PATH,
    OPENTACT_URL: `http://127.0.0.1:${(scene.http.server.address() as AddressInfo).port}`,
    OPENTACT_API_KEY: KEY,
    OPENTACT_EMAIL: email,
    OPENTACT_PASSWORD: PASSWORD,
    OPENTACT_DEMO_PORT: '8090',
  };
});
after(() => scene.close());

/** What each curl of a pasted text answered with another status than 2xx; the text is read as a terminal would. */
async function refused(text: string): Promise<string[]> {
  // The shell's curl is one that says the status, so that an answer is judged however it is piped on.
  const judged = `
    npm() { :; }
    curl() { local out; out=$(command curl -w '\\n%{http_code}' "$@"); case "\${out##*$'\\n'}" in 2??) ;; *) echo "$* → $out" >&2 ;; esac; printf '%s\\n' "\${out%$'\\n'*}"; }
    ${text}`;
  const { stderr } = await run('bash', ['--norc', '-c', judged], { env: environment });
  return stderr.split('\n').filter((line) => line !== '');
}

test('the page and everything it loads come from here, under a strict policy', async () => {
  const http = fastify();
  http.register(openApi, { prefix: '/rest' });
  const page = await http.inject('/rest/docs');
  assert.equal(page.statusCode, 200);
  const policy = String(page.headers['content-security-policy']);
  assert.match(policy, /default-src 'none'.*script-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.doesNotMatch(page.body, /<script>|<style|\son\w+=/, 'nothing inline');
  const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
  assert.ok(loaded.length >= 4);
  for (const address of loaded) {
    assert.doesNotMatch(address, /^\w+:|^\/\//);
    assert.equal((await http.inject(new URL(address, 'http://host/rest/docs').pathname)).statusCode, 200, address);
  }
});

test('/rest and /docs lead to the documentation', async () => {
  for (const path of ['/rest', '/rest/', '/rest/docs/']) {
    const { statusCode, headers } = await scene.http.inject(path);
    assert.deepEqual([statusCode, headers.location], [302, '/rest/docs'], path);
  }
});

test('every part has its prose, and our signature is explained', () => {
  const { info, tags } = document as unknown as { info: { description: string }; tags: Array<Record<string, string>> };
  for (const { name, description = '' } of tags) assert.match(description, /\w.{60,}/s, name);
  assert.deepEqual(
    new Set(operationsOf(document).flatMap(({ operation }) => operation.tags)),
    new Set(tags.map(({ name }) => name)),
  );
  for (const said of ['X-Opentact-Signature', 'X-Opentact-Timestamp', 'Idempotency-Key', 'HMAC-SHA256'])
    assert.ok(info.description.includes(said), said);
});

test('the examples of the prose work when they are pasted, one after the other', shell, async () => {
  const { info, tags } = document as unknown as { info: { description: string }; tags: Array<{ description: string }> };
  const blocks = [info, ...tags].flatMap(({ description }) =>
    [...description.matchAll(/```sh\n(.*?)```/gs)].map(([, text]) => text!),
  );
  assert.ok(blocks.length >= 10);
  assert.deepEqual(await refused(blocks.join('\n')), []);
});

test('the command beside an operation works when it is pasted', shell, async () => {
  const samples = operationsOf(document).flatMap(({ operation }) =>
    ((operation as { 'x-codeSamples'?: Array<{ source: string }> })['x-codeSamples'] ?? []).map(({ source }) => source),
  );
  assert.ok(samples.length >= 85);
  // The last first: none needs what another one made.
  assert.deepEqual(
    await refused(
      samples
        .reverse()
        .map((source) => `(\n${source}\n)`)
        .join('\n'),
    ),
    [],
  );
});
