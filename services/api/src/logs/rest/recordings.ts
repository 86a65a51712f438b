/** Recordings of an account: listed, read, downloaded whole or by ranges, deleted. What is deleted stays so when logs are made anew. */
import { rm } from 'node:fs/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Database } from '../../database/database.ts';
import { answers, Failure, Moment, ok, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { notFound, RestError } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { recordingPath, sendRecording } from '../../rest/recording-file.ts';
import { LogQuery, logPageOf, snapshotOf, totalOf, untilOf, wasThere } from './log-pages.ts';

const Recording = Type.Object(
  {
    uuid: Uuid,
    call: Uuid,
    tag: Type.String(),
    url: Type.String({ description: 'Where it is downloaded, with the credentials of the account.' }),
    duration: Type.Union([Type.Number(), Type.Null()], { description: 'Seconds; null: it is still being recorded.' }),
    transcript: Type.Union([Type.String(), Type.Null()]),
    created_on: Moment,
  },
  { title: 'Recording' },
);

type Row = {
  id: string;
  call_id: string;
  tag: string;
  duration_ms: string | null;
  transcript: string | null;
  created_on: Date;
};
const recordingOf = (row: Row): Static<typeof Recording> => ({
  uuid: row.id,
  call: row.call_id,
  tag: row.tag,
  url: `/rest/recording/${row.id}/file`,
  duration: row.duration_ms === null ? null : Number(row.duration_ms) / 1000,
  transcript: row.transcript,
  created_on: stamp(row.created_on),
});

type Asked = FastifyRequest & { params: { uuid: string } };

const mine = (db: Database, accountId: string) =>
  db
    .selectFrom('recording_log')
    .where('recording_log.account_id', '=', accountId)
    .where((w) =>
      w.not(
        w.exists(
          w
            .selectFrom('recording_deletion')
            .select('recording_deletion.id')
            .whereRef('recording_deletion.id', '=', 'recording_log.id'),
        ),
      ),
    );

const one = async (db: Database, uuid: string, accountId: string) => {
  const row = await mine(db, accountId).where('recording_log.id', '=', uuid).selectAll().executeTakeFirst();
  if (!row) throw notFound('recording');
  return row;
};

const found = { params: UuidPath, response: answers(Recording, { failures: [404] }) };

const send = async (db: Database, folder: string, request: Asked, reply: FastifyReply) => {
  const { id, duration_ms } = await one(db, request.params.uuid, request.identity.accountId);
  if (await sendRecording(recordingPath(folder, id), request, reply)) return reply;
  if (duration_ms === null) throw new RestError(409, 'it is still being recorded');
  throw notFound('file of this recording');
};

/** @param folder where media leaves them: `$OPENTACT_HOME/recordings` */
export const recordings =
  (db: Database, folder: string): FastifyPluginAsyncTypebox =>
  async (http) => {
    listRecordings(http, db);
    getRecording(http, db);
    http.head('/recording/:uuid/file', { schema: { hide: true, params: UuidPath } }, (request, reply) =>
      send(db, folder, request, reply),
    );
    getRecordingFile(http, db, folder);
    removeRecording(http, db, folder);
  };

function listRecordings(http: Http, db: Database): void {
  const listed = {
    ...operation('ListRecordings', 'Recordings', 'List recordings', 'The latest first.'),
    querystring: LogQuery,
    response: answers(logPageOf(Recording)),
  };
  http.get('/recording', { schema: listed }, async ({ identity, query }) => {
    const { take = 10, skip = 0 } = query;
    const snapshot = await snapshotOf(db, query.until);
    const there = mine(db, identity.accountId).where(wasThere('added_by', snapshot));
    const [total, rows] = await Promise.all([
      totalOf(db, there),
      there.selectAll().orderBy('created_on', 'desc').orderBy('id').limit(take).offset(skip).execute(),
    ]);
    return ok({ take, skip, ...total, data: rows.map(recordingOf), until: untilOf(snapshot) });
  });
}

function getRecording(http: Http, db: Database): void {
  const read = { ...operation('GetRecording', 'Recordings', 'Read about a recording'), ...found };
  http.get('/recording/:uuid', { schema: read }, async ({ identity, params }) =>
    ok(recordingOf(await one(db, params.uuid, identity.accountId))),
  );
}

function getRecordingFile(http: Http, db: Database, folder: string): void {
  const sound = { type: 'string', format: 'binary', description: 'WAV, 8 kHz, mono, 16 bits.' };
  const file = {
    ...operation(
      'GetRecordingFile',
      'Recordings',
      'Download a recording',
      'Whole, or by `Range`; has an `ETag`; 409 while it is being recorded.',
    ),
    params: UuidPath,
    response: {
      200: { content: { 'audio/wav': { schema: sound } } },
      206: { content: { 'audio/wav': { schema: sound } } },
      304: { description: 'It is what the client has.', type: 'null' },
      416: { description: 'The range lies behind the end.', type: 'null' },
      ...Object.fromEntries([400, 401, 404, 409, 429].map((status) => [status, Failure])),
    },
  };
  http.get('/recording/:uuid/file', { schema: file, exposeHeadRoute: false }, (request, reply) =>
    send(db, folder, request, reply),
  );
}

function removeRecording(http: Http, db: Database, folder: string): void {
  const removed = {
    ...operation('RemoveRecording', 'Recordings', 'Delete a recording', 'With its file, for good.'),
    ...found,
  };
  http.delete(
    '/recording/:uuid',
    { schema: { ...removed, response: answers(Recording, { failures: [404, 409] }) } },
    async ({ identity, params }) => {
      const row = await one(db, params.uuid, identity.accountId);
      if (row.duration_ms === null) throw new RestError(409, 'it is still being recorded; end the call first');
      // First said, then done: a file that is left behind is one that nobody is shown.
      const said = await db
        .insertInto('recording_deletion')
        .values({ id: row.id, account_id: identity.accountId })
        .onConflict((c) => c.doNothing())
        .executeTakeFirst();
      if (said.numInsertedOrUpdatedRows === 0n) throw notFound('recording');
      await rm(recordingPath(folder, row.id)!, { force: true });
      return ok(recordingOf(row));
    },
  );
}
