/** Dictionaries of the REST API, in its envelope (reference 2.1): so far the voices. A plugin, to be put below `/rest/dict`. */
import { createHash } from 'node:crypto';
import { VOICES } from '@opentact/voices';
import type { FastifyInstance } from 'fastify';

/** The same for a voice for ever (UUIDv8). */
function uuidOf(code: string): string {
  const digest = createHash('sha256').update(`voice\n${code}`).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const VOICE_LIST = VOICES.map((voice) => ({ uuid: uuidOf(voice.code), ...voice }));

export async function dictionaries(http: FastifyInstance): Promise<void> {
  http.get('/gtts', async () => ({ success: true, payload: VOICE_LIST }));
}
