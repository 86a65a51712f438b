/**
 * What customers are told, as a record: the Opentact envelope (reference 3.4) in JSON. Its ids follow from its place in the
 * journal, so that whoever makes it again makes the same.
 */
import { createHash } from 'node:crypto';
import type { NewRecord } from '@opentact/event-log';
import { iso } from '@opentact/proto/call-view';
import type { PublicEvent } from '../domain/public-event.ts';

const SCHEMA = '1';

/** A UUIDv8 of these words. */
function idOf(...words: Array<string | number>): string {
  const digest = createHash('sha256').update(words.join('\n')).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The envelope as it is written. */
export function envelopeOf(told: PublicEvent): Record<string, unknown> {
  const { type, callId, seq, index, at, message, payload, call, callFlow } = told;
  return {
    uuid: idOf('event', callId, seq, index),
    created_on: iso(at),
    modified_on: iso(at),
    type,
    message,
    payload: type === 'call_transcript' ? { uuid: idOf('transcript', callId, seq, index), ...payload } : payload,
    call,
    ...(callFlow && { call_flow: { uuid: idOf('command', callId, seq, index), ...callFlow } }),
    account: { uuid: told.account },
    ref_id: call.uuid,
    delivery_report: [],
  };
}

/** Key: the call. Headers: what a reader may choose by without reading the JSON. */
export function recordOf(told: PublicEvent): NewRecord {
  return {
    key: told.callId,
    headers: { type: told.type, seq: String(told.seq), schema: SCHEMA, account: told.account },
    bytes: Buffer.from(JSON.stringify(envelopeOf(told))),
  };
}
