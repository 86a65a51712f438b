/** The document that an app runs, kept here: read, given, taken away (reference 1.7, 2.9). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { answers, Nothing, ok, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { documentOf, takeDocuments } from '../../rest/upload.ts';

const CallFlow = Type.Object({ url: Type.String(), xml: Type.String() }, { title: 'CallFlow' });

const flow = answers(CallFlow, { failures: [404] });

const flowOf = (uuid: string, xml: string) => ok({ url: `/rest/sip/app/call/flow/${uuid}`, xml });

/** @param check what is wrong with a document, with its place; undefined where a call could run it. */
export const appDocuments =
  (db: Database, check: (xml: string) => Promise<string | undefined>): FastifyPluginAsyncTypebox =>
  async (http) => {
    await takeDocuments(http);
    getSIPControlAppStaticCallFlow(http, db);
    saveSIPControlAppStaticCallFlow(http, db, check);
    removeSIPControlAppStaticCallFlow(http, db);
  };

function getSIPControlAppStaticCallFlow(http: Http, db: Database): void {
  const mine = (uuid: string, accountId: string) =>
    db.selectFrom('app').where('id', '=', uuid).where('account_id', '=', accountId);
  http.get(
    '/sip/app/call/flow/:uuid',
    {
      schema: {
        ...operation('GetSIPControlAppStaticCallFlow', 'SIP apps', 'Read the document of an app'),
        params: UuidPath,
        response: flow,
      },
    },
    async ({ identity, params }) => {
      const row = await mine(params.uuid, identity.accountId).select('static_document').executeTakeFirst();
      if (!row) throw notFound('SIP control app');
      if (!row.static_document) throw notFound('document of this app');
      return flowOf(params.uuid, row.static_document);
    },
  );
}

function saveSIPControlAppStaticCallFlow(
  http: Http,
  db: Database,
  check: (xml: string) => Promise<string | undefined>,
): void {
  http.post(
    '/sip/app/call/flow/:uuid',
    {
      schema: {
        ...operation(
          'SaveSIPControlAppStaticCallFlow',
          'SIP apps',
          'Give an app a document',
          'Checked before it is kept: what a call could not run is refused with its line and column.',
        ),
        params: UuidPath,
        consumes: ['multipart/form-data'],
        response: flow,
      },
    },
    async (request) => {
      const { identity, params } = request;
      const xml = await documentOf(request);
      const fault = await check(xml);
      if (fault) throw badInput({ 'body.file': { message: fault } });
      const changed = await db
        .updateTable('app')
        .set({ static_document: xml, modified_on: new Date() })
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .executeTakeFirst();
      if (changed.numUpdatedRows === 0n) throw notFound('SIP control app');
      return flowOf(params.uuid, xml);
    },
  );
}

function removeSIPControlAppStaticCallFlow(http: Http, db: Database): void {
  const none = answers(Nothing, { failures: [404] });
  http.delete(
    '/sip/app/call/flow/:uuid',
    {
      schema: {
        ...operation('RemoveSIPControlAppStaticCallFlow', 'SIP apps', 'Take the document of an app away'),
        params: UuidPath,
        response: none,
      },
    },
    async ({ identity, params }) => {
      const changed = await db
        .updateTable('app')
        .set({ static_document: '', modified_on: new Date() })
        .where('id', '=', params.uuid)
        .where('account_id', '=', identity.accountId)
        .executeTakeFirst();
      if (changed.numUpdatedRows === 0n) throw notFound('SIP control app');
      return ok({});
    },
  );
}
