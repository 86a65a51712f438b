/** The schema of a call in answers names each field of the object that the fold makes, and no other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PublicCall, SAMPLE, wholeCallObject } from '@opentact/proto/call-view';
import { Value } from 'typebox/value';
import { Call } from './call-object.ts';

const [leg] = SAMPLE.legs;
const FULL: PublicCall = {
  ...SAMPLE,
  legs: [
    leg!,
    { ...leg!, leg: 1, state: 'destroyed', ringOn: 1, answerOn: 2, hangupOn: 3, destroyOn: 4, q850: 16, reason: 'bye' },
  ],
  records: [{ uuid: SAMPLE.callId, durationMs: 1, at: 1 }],
  logs: [{ at: 1, name: 'Say', path: 'Say[0]', success: true, reason: '', tag: '' }],
};

/** Paths of all fields, of the first of each list. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return fieldsOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, part]) => fieldsOf(part, `${path}.${name}`));
}

test('what the schema lets through is the whole object', () => {
  const object = wholeCallObject(FULL);
  const cleaned = Value.Clean({ ...Call, additionalProperties: false }, structuredClone(object));
  assert.deepEqual(fieldsOf(cleaned), fieldsOf(object));
  assert.ok(Value.Check(Call, object), JSON.stringify(Value.Errors(Call, object)));
});
