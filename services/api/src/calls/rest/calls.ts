/** Calls of an account: looked at, given another document, hung up (reference 2.9, 2.14). Each goes to the flow engine. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { answers, ok, UuidPath } from '../../rest/envelope.ts';
import { notFound } from '../../rest/errors.ts';
import { KeyHeaders } from '../../rest/idempotency.ts';
import { operation } from '../../rest/operation.ts';
import { documentOf, takeDocuments } from '../../rest/upload.ts';
import type { Engine } from '../engine.ts';
import { Call, callOf } from './call-object.ts';

export const calls =
  (engine: Engine): FastifyPluginAsyncTypebox =>
  async (http) => {
    await takeDocuments(http);
    /** Another account's call is as good as none. */
    const mine = async (uuid: string, accountId: string) => {
      const call = await engine.call(uuid);
      if (call?.accountId !== accountId) throw notFound('call');
      return call;
    };
    const found = { params: UuidPath, response: answers(Call, { failures: [404, 503] }) };
    const changed = { ...found, headers: KeyHeaders, response: answers(Call, { failures: [404, 409, 503] }) };

    for (const [path, read, run] of [
      ['/call/sca/:uuid', 'GetCall', 'RunCallDocument'],
      ['/sip/app/call/:uuid', 'GetSIPControlAppCall', 'ExecuteSIPControlAppCallExecuteCallFlow'],
    ] as const) {
      http.get(
        path,
        { schema: { ...operation(read, 'Calls', 'Read a call as it is now'), ...found } },
        async ({ identity, params }) => ok(callOf((await mine(params.uuid, identity.accountId)).object)),
      );
      // As multipart with the field `file`, as the reference sends it.
      const document = operation(run, 'Calls', 'Give a live call another document', 'In the field `file`.');
      http.post(path, { schema: { ...document, ...changed, consumes: ['multipart/form-data'] } }, async (request) => {
        const { identity, params, headers } = request;
        const call = await mine(params.uuid, identity.accountId);
        await engine.run(call.callId, await documentOf(request), headers['idempotency-key'] ?? randomUUID());
        return ok(callOf((await mine(params.uuid, identity.accountId)).object));
      });
    }
    http.delete(
      '/call/sca/:uuid',
      { schema: { ...operation('HangUpCall', 'Calls', 'Hang a call up'), ...changed } },
      async ({ identity, params, headers }) => {
        const call = await mine(params.uuid, identity.accountId);
        await engine.hangup(call.callId, headers['idempotency-key'] ?? randomUUID());
        return ok(callOf((await mine(params.uuid, identity.accountId)).object));
      },
    );
  };
