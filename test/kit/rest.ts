/** The REST API of a platform as a customer asks it: one account of its own, its token in every request. */
import assert from 'node:assert/strict';
import { fromElsewhere } from './elsewhere.ts';
import type { Platform } from './platform.ts';

export type Customer = {
  /** @throws AssertionError with the answer where it is no success */
  ask<P>(method: string, path: string, body?: unknown): Promise<P>;
  /** The status of an answer that is none. */
  status(method: string, path: string, body?: unknown): Promise<number>;
  /** Orders a number of the demo's inventory. */
  order(tn: number): Promise<void>;
  /** An app that runs this document. */
  app(name: string, xml: string, of?: Record<string, unknown>): Promise<string>;
};

const PASSWORD = 'correct horse battery';

/** Signs up. */
export async function newCustomer(platform: Platform, name: string): Promise<Customer> {
  const email = `${name}@example.test`;
  const url = await fromElsewhere(platform.httpPort);
  let token = '';
  const send = (method: string, path: string, body?: unknown): Promise<Response> => {
    const isForm = body instanceof FormData;
    const headers: Record<string, string> = token
      ? { 'x-auth-token': token }
      : { authorization: `Basic ${Buffer.from(`${email}:${PASSWORD}`).toString('base64')}` };
    if (body !== undefined && !isForm) headers['content-type'] = 'application/json';
    const sent = isForm ? (body as FormData) : body === undefined ? null : JSON.stringify(body);
    return fetch(`${url}/rest${path}`, { method, headers, body: sent });
  };
  const customer: Customer = {
    async ask<P>(method: string, path: string, body?: unknown) {
      const response = await send(method, path, body);
      const answer = (await response.json()) as { success: boolean; payload: P };
      assert.ok(answer.success, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
      return answer.payload;
    },
    async status(method, path, body) {
      const response = await send(method, path, body);
      await response.arrayBuffer();
      return response.status;
    },
    async order(tn) {
      await customer.ask('POST', '/order', { items: [{ tn }] });
    },
    async app(called, xml, of = {}) {
      const { uuid } = await customer.ask<{ uuid: string }>('POST', '/sip/app', { name: called, ...of });
      const form = new FormData();
      form.append('file', new Blob([xml], { type: 'application/xml' }), 'flow.xml');
      await customer.ask('POST', `/sip/app/call/flow/${uuid}`, form);
      return uuid;
    },
  };
  await customer.ask('POST', '/user', { email, password: PASSWORD });
  ({ token } = await customer.ask<{ token: string }>('GET', '/auth'));
  return customer;
}
