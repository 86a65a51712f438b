/** What a person asks of the REST API in a test, with the status that is expected. */
import assert from 'node:assert/strict';
import type { Method, Person, RestScene } from './scene.ts';

export type Thing = { uuid: string; name: string };

/** @param scene as it is when something is asked, since tests open it in `before` */
export function askerOf(scene: () => RestScene) {
  /** The payload, or the whole answer where a refusal is expected. */
  async function ask<P>(who: Person, method: Method, path: string, body?: unknown, status = 200): Promise<P> {
    const answer = await scene().ask(method, path, { as: who.jwt, body });
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return (status < 300 ? answer.body.payload : answer.body) as P;
  }
  /** A number of one's own. */
  async function leased(who: Person, npa: string): Promise<{ uuid: string; tn: number }> {
    const [tn] = await scene().stock(npa, 1);
    await ask(who, 'POST', '/order', { items: [{ tn }] }, 201);
    return { tn: tn!, uuid: (await ask<Thing>(who, 'GET', `/lease/tn/${tn}`)).uuid };
  }
  return { ask, leased };
}
