/**
 * Requests by chance, right and broken, to every operation of the document: never a fault of ours, never a wrong envelope,
 * never slow. `OPENTACT_SEED` repeats a run; `OPENTACT_REQUESTS_S=600 node --test …/requests.test.ts` looks longer.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { threadCpuMs } from '@opentact/runtime/testing';
import { operationsOf, readDocument } from './reference/document.ts';
import { engineOf, possess } from './testing/possessions.ts';
import { randomOf, randomRequest } from './testing/random-request.ts';
import { openRestScene, type RestScene } from './testing/scene.ts';

const SECONDS = Number(process.env.OPENTACT_REQUESTS_S ?? 6);
/** So many, instead of so long. */
const REQUESTS = Number(process.env.OPENTACT_REQUESTS ?? 0);
const SEED = Number(process.env.OPENTACT_SEED ?? Date.now() % 1e9);
/** Two cores that four test files share: a statement has 2 s, a request some of them. */
const MS_MAX = 5000;
/** Work of ours on the thread that all requests share; what takes so long is asked again before it counts. */
const CPU_MS_MAX = 50;

let scene: RestScene;
const mail = { send: async () => {}, close() {} };
const calls = new Map<string, string>();
before(async () => {
  scene = await openRestScene({ engine: engineOf(calls), mail });
});
after(() => scene.close());

test(`whatever is asked, the answer is one of the document (OPENTACT_SEED=${SEED})`, async (t) => {
  const random = randomOf(SEED);
  const routes = operationsOf(await readDocument());
  const statuses = new Map<number, number>();
  const wrong: string[] = [];
  let asked = 0;
  for (
    let round = 0, end = Date.now() + SECONDS * 1000;
    round === 0 || (REQUESTS ? asked < REQUESTS : Date.now() < end);
    round++
  ) {
    const { person, examples: _, ...things } = await possess(scene, String(200 + (round % 700)), calls);
    if (round % 2) await operate(person.accountId);
    for (const { method, path, operation } of routes.sort(() => random() - 0.5)) {
      const { path: url, headers, payload } = randomRequest(path, operation, random, Object.values(things));
      const remoteAddress = `10.200.${asked >> 8}.${asked++ & 255}`;
      const began = performance.now();
      const who = path.startsWith('/rest/app') ? { 'x-auth-ha1b-token': things.ha1b } : { 'x-auth-token': person.jwt };
      const credentials = { ...who, ...headers };
      const request = { method: method as 'GET', url, headers: credentials, remoteAddress };
      const ask = () => scene.http.inject({ ...request, ...(payload !== undefined && { payload }) });
      const cpuBefore = threadCpuMs();
      const answer = await ask();
      const tookMs = performance.now() - began;
      let workMs = threadCpuMs() - cpuBefore;
      for (let n = 0; n < 3 && workMs > CPU_MS_MAX; n++) workMs = await workOf(ask);
      const told = `OPENTACT_SEED=${SEED}: ${method} ${url} ${JSON.stringify(headers)} ${payload?.slice(0, 2000)}`;
      for (const fault of scene.faults.splice(0)) wrong.push(`${fault}: ${told}`);
      if (answer.statusCode >= 500) wrong.push(`${answer.statusCode}: ${told}`);
      if (workMs > CPU_MS_MAX) wrong.push(`${workMs} ms of work: ${told}`);
      if (tookMs > MS_MAX) wrong.push(`${tookMs} ms: ${told}`);
      statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
      if (operation.operationId === 'DeleteUserByUUID' && answer.statusCode < 300) break;
    }
  }
  t.diagnostic(`${asked} requests, seed ${SEED}: ${JSON.stringify(Object.fromEntries(statuses))}`);
  assert.deepEqual(wrong, []);
  // A test whose requests are all refused looks at nothing.
  const done = [200, 201].reduce((sum, status) => sum + (statuses.get(status) ?? 0), 0);
  assert.ok(done > asked / 5 && (statuses.get(400) ?? 0) > asked / 10, JSON.stringify([...statuses]));
});

async function workOf(ask: () => Promise<unknown>): Promise<number> {
  const before = threadCpuMs();
  await ask();
  return threadCpuMs() - before;
}

/** The account of that id may do what only the installation's own may. */
const operate = (accountId: string) =>
  scene.db.updateTable('account').set({ level: 'ServiceAccount' }).where('id', '=', accountId).execute();
