/** A SIP user's own picture. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { keepPicture, PICTURE_BYTES_MAX, pictureOf } from '../../accounts/rest/avatars.ts';
import type { Database } from '../../database/database.ts';
import { answers, ok } from '../../rest/envelope.ts';
import { END_USER, operation } from '../../rest/operation.ts';
import { fileOf, takeFiles } from '../../rest/upload.ts';
import { readSipUsers, SipUser, sipUserOf } from './sip-users.ts';

/** To be registered where `endUser` is known. */
export const endUserAvatars =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    await takeFiles(http, PICTURE_BYTES_MAX);
    const given = {
      ...operation(
        'UploadSIPUserAvatarApp',
        'End users',
        'Give oneself a picture',
        `PNG, JPEG or WebP of ${PICTURE_BYTES_MAX} bytes at most.`,
      ),
      ...END_USER,
      response: answers(SipUser),
      consumes: ['multipart/form-data'],
    };
    http.post('/app/avatar', { schema: given, bodyLimit: PICTURE_BYTES_MAX + 16 * 1024 }, async (request) => {
      const { id, domainId } = request.endUser;
      const picture = pictureOf(await fileOf(request));
      await db.transaction().execute(async (tx) => {
        const avatar = await keepPicture(tx, picture, { person_id: null, sip_user_id: id });
        await tx.updateTable('sip_user').set({ avatar, modified_on: new Date() }).where('id', '=', id).execute();
      });
      return ok(sipUserOf(await readSipUsers(db, domainId).where('user.id', '=', id).executeTakeFirstOrThrow()));
    });
  };
