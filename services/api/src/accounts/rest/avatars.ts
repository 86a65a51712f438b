/**
 * Pictures of users: PNG, JPEG or WebP by what the bytes are, whatever they are called. Served to whoever knows the address,
 * as pages show them without a credential; the address is new with each picture and can't be guessed. Those of SIP users too.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { mustBeAdmin } from '../../rest/auth/roles.ts';
import { answers, ok, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound } from '../../rest/errors.ts';
import { operation } from '../../rest/operation.ts';
import { fileOf, takeFiles } from '../../rest/upload.ts';
import { readUser, User, userOf } from './user.ts';

export const PICTURE_BYTES_MAX = 512 * 1024;

const KINDS: Array<{ type: string; suffix: string; is(bytes: Buffer): boolean }> = [
  { type: 'image/png', suffix: 'png', is: (b) => b.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex')) },
  { type: 'image/jpeg', suffix: 'jpg', is: (b) => b.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')) },
  {
    type: 'image/webp',
    suffix: 'webp',
    is: (b) => b.toString('latin1', 0, 4) === 'RIFF' && b.toString('latin1', 8, 12) === 'WEBP',
  },
];

/** Given and taken away by oneself, or by an Admin of the account. */
export const avatars =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    await takeFiles(http, PICTURE_BYTES_MAX);
    const mine = async (uuid: string, identity: Identity) => {
      const row = await readUser(db)
        .where('person.id', '=', uuid)
        .where('person.account_id', '=', identity.accountId)
        .where('person.deleted_on', 'is', null)
        .executeTakeFirst();
      if (!row) throw notFound('user');
      if (uuid !== identity.userId) mustBeAdmin(identity);
    };
    const shown = async (uuid: string) =>
      ok(userOf(await readUser(db).where('person.id', '=', uuid).executeTakeFirstOrThrow()));
    const change = { params: UuidPath, response: answers(User, { failures: [403, 404] }) };

    const given = {
      ...operation(
        'UploadAvatar',
        'Users',
        'Give a user a picture',
        `PNG, JPEG or WebP of ${PICTURE_BYTES_MAX} bytes at most.`,
      ),
      ...change,
      consumes: ['multipart/form-data'],
    };
    // Its form goes around the file.
    http.post('/user/:uuid/avatar', { schema: given, bodyLimit: PICTURE_BYTES_MAX + 16 * 1024 }, async (request) => {
      const { uuid } = request.params;
      await mine(uuid, request.identity);
      const picture = pictureOf(await fileOf(request));
      await db.transaction().execute(async (tx) => {
        const avatar = await keepPicture(tx, picture, { person_id: uuid, sip_user_id: null });
        await tx.updateTable('person').set({ avatar, modified_on: new Date() }).where('id', '=', uuid).execute();
      });
      return shown(uuid);
    });

    const taken = { ...operation('RemoveAvatar', 'Users', 'Take the picture of a user away'), ...change };
    http.delete('/user/:uuid/avatar', { schema: taken }, async ({ identity, params: { uuid } }) => {
      await mine(uuid, identity);
      await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('avatar').where('person_id', '=', uuid).execute();
        await tx.updateTable('person').set({ avatar: null, modified_on: new Date() }).where('id', '=', uuid).execute();
      });
      return shown(uuid);
    });
  };

type Picture = { id: string; type: string; bytes: Buffer; suffix: string };

/** @throws RestError 400 where the bytes are no picture */
export function pictureOf(bytes: Buffer): Picture {
  const kind = KINDS.find(({ is }) => is(bytes));
  if (!kind) throw badInput({ 'body.file': { message: 'is no PNG, JPEG or WebP' } });
  return { id: randomUUID(), type: kind.type, bytes, suffix: kind.suffix };
}

/** In the place of the one before. @returns its address */
export async function keepPicture(
  tx: Kysely<Tables>,
  { suffix, ...picture }: Picture,
  owner: { person_id: string; sip_user_id: null } | { person_id: null; sip_user_id: string },
): Promise<string> {
  await tx
    .insertInto('avatar')
    .values({ ...picture, ...owner })
    .onConflict((c) => c.column(owner.person_id === null ? 'sip_user_id' : 'person_id').doUpdateSet(picture))
    .execute();
  return `/rest/avatar/${picture.id}.${suffix}`;
}

/** The pictures themselves; no operation of the API. */
export const pictures =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const Path = Type.Object({
      file: Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\.(png|jpg|webp)$' }),
    });
    http.get('/avatar/:file', { schema: { hide: true, params: Path } }, async ({ params }, reply) => {
      const [id = '', suffix] = params.file.split('.');
      const row = await db.selectFrom('avatar').select(['type', 'bytes']).where('id', '=', id).executeTakeFirst();
      if (!row || KINDS.find(({ type }) => type === row.type)?.suffix !== suffix) throw notFound('picture');
      return reply
        .headers({
          'content-type': row.type,
          'x-content-type-options': 'nosniff',
          'content-security-policy': "default-src 'none'; sandbox",
          'cache-control': 'private, max-age=86400, immutable',
        })
        .send(row.bytes);
    });
  };
