/** What a front end must know before anybody logs in (reference 2.16): which ways in are set up. Nothing secret. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { answers, ok } from '../../rest/envelope.ts';
import { operation, PUBLIC } from '../../rest/operation.ts';

const Maybe = Type.Union([Type.String(), Type.Null()]);
const Settings = Type.Object(
  {
    google_client_id: Maybe,
    facebook_client_id: Maybe,
    stripe_public_key: Maybe,
    paypal_client_id: Maybe,
  },
  { title: 'Settings' },
);

/** @param googleClientId undefined: no log-in by Google. */
export const settings =
  (googleClientId: string | undefined): FastifyPluginAsyncTypebox =>
  async (http) => {
    const schema = {
      ...operation('GetSettings', 'Account', 'Read public settings', 'null: not set up here.'),
      ...PUBLIC,
      response: answers(Settings),
    };
    http.get('/settings', { schema }, async () =>
      ok({
        google_client_id: googleClientId ?? null,
        facebook_client_id: null,
        stripe_public_key: null,
        paypal_client_id: null,
      }),
    );
  };
