/** Dictionaries of the REST API, in its envelope (reference 2.1): so far the voices. A plugin, to be put below `/rest/dict`. */
import { createHash } from 'node:crypto';
import { VOICES } from '@opentact/voices';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { answers, ok, Uuid } from '../rest/envelope.ts';
import { operation, PUBLIC } from '../rest/operation.ts';

/** The same for a voice for ever (UUIDv8). */
function uuidOf(code: string): string {
  const digest = createHash('sha256').update(`voice\n${code}`).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const VOICE_LIST = VOICES.map((voice) => ({ uuid: uuidOf(voice.code), ...voice }));

const Voice = Type.Object({
  uuid: Uuid,
  type: Type.String(),
  code: Type.String(),
  name: Type.String(),
  gender: Type.String(),
  lang: Type.String(),
});

export async function dictionaries(http: FastifyInstance): Promise<void> {
  const voices = {
    ...operation('ListDictGTTSVoices', 'Dictionaries', 'List voices'),
    ...PUBLIC,
    response: answers(Type.Array(Voice)),
  };
  http.get('/gtts', { schema: voices }, async () => ok(VOICE_LIST));
}
