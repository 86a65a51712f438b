/** Dictionaries of the REST API, in its envelope (reference 2.1): so far the voices. A plugin, to be put below `/rest/dict`. */
import { createHash } from 'node:crypto';
import { VOICES } from '@opentact/voices';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { uuidV8 } from '../../kernel/uuid.ts';
import { answers, ok, Uuid } from '../../rest/envelope.ts';
import { operation, PUBLIC } from '../../rest/operation.ts';

/** The same for a voice for ever. */
const uuidOf = (code: string) => uuidV8(createHash('sha256').update(`voice\n${code}`).digest());

const VOICE_LIST = VOICES.map((voice) => ({ uuid: uuidOf(voice.code), ...voice }));

const Voice = Type.Object(
  {
    uuid: Uuid,
    type: Type.String(),
    code: Type.String(),
    name: Type.String(),
    gender: Type.String(),
    lang: Type.String(),
  },
  { title: 'Voice' },
);

export async function dictionaries(http: FastifyInstance): Promise<void> {
  const voices = {
    ...operation('ListDictGTTSVoices', 'Dictionaries', 'List voices'),
    ...PUBLIC,
    response: answers(Type.Array(Voice)),
  };
  http.get('/gtts', { schema: voices }, async () => ok(VOICE_LIST));
}
