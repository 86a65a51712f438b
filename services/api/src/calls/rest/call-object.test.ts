/**
 * The schema of a call in answers names each field of the object that the fold makes, and no other; what stays null in it is
 * what the README says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type PublicCall, SAMPLE, wholeCallObject } from '@opentact/proto/call-view';
import { Value } from 'typebox/value';
import { Call } from './call-object.ts';

const [leg] = SAMPLE.legs;
const uuid = SAMPLE.callId;
const on = { createdAt: 1, modifiedAt: 1 };
/** All that can be known of a call that lives. */
const FULL: PublicCall = {
  ...SAMPLE,
  attribution: {
    account: { ...on, name: '', email: '', level: '', phone: '', address1: '', address2: '', zipCode: '', city: '' },
    app: { ...on, isActive: true, shakenVerifyPolicy: 0, shakenMinimumAcceptedAttestLvl: 'C' },
    number: { number: '1', lease: { ...on, leaseId: uuid, autorenew: true, expiresAt: 1 } },
    domain: { ...on, domain: '' },
    switch: { ...on, switchId: uuid, name: '', remoteIp: '' },
    user: {
      ...on,
      userId: uuid,
      login: '',
      firstName: '',
      lastName: '',
      email: '',
      phoneNumber: '',
      sameDomainCallsOnly: false,
    },
    connection: { ...on, connectionId: uuid, name: '', isActive: true, ip: '', hostname: '', port: 5060 },
  },
  legs: [
    { ...leg!, state: 'live', ringOn: 1, answerOn: 2 },
    { ...leg!, leg: 1, state: 'destroyed', ringOn: 1, answerOn: 2, hangupOn: 3, destroyOn: 4, q850: 16, reason: 'bye' },
  ],
  batchItem: uuid,
  running: { '1 Say[0]': 1 },
  records: [{ uuid, durationMs: 1, at: 1 }],
  logs: [{ at: 1, name: 'Say', path: 'Say[0]', success: true, reason: '', tag: '' }],
};
const OVER: PublicCall = {
  ...FULL,
  legs: [{ ...FULL.legs[1]!, leg: 0 }, FULL.legs[1]!],
  ended: { owner: 'caller', reason: 'bye' },
};

/** Paths of all fields, of the first of each list. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return fieldsOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, part]) => fieldsOf(part, `${path}.${name}`));
}

/** Paths of the call's own fields that are null. */
function nullsOf(value: unknown, path = ''): string[] {
  if (value === null) return [path];
  if (typeof value !== 'object' || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, part]) => nullsOf(part, path ? `${path}.${name}` : name));
}

test('what the schema lets through is the whole object', () => {
  for (const call of [SAMPLE, FULL, OVER]) {
    const object = wholeCallObject(call);
    const cleaned = Value.Clean({ ...Call, additionalProperties: false }, structuredClone(object));
    assert.deepEqual(fieldsOf(cleaned), fieldsOf(object));
    assert.ok(Value.Check(Call, object), JSON.stringify(Value.Errors(Call, object)));
  }
});

test('what stays null is what the README says, and the schema', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const [, list = ''] = readme.split('stay null in every call object:');
  const listed = [...list.split('\n\n')[0]!.matchAll(/`([\w.]+)`/g)].map(([, name]) => name!).sort();
  const over = new Set(nullsOf(wholeCallObject(OVER)));
  const always = nullsOf(wholeCallObject(FULL)).filter((path) => over.has(path));
  const { parent: _, ...own } = Call.properties;
  assert.deepEqual(always.filter((path) => path !== 'parent').sort(), listed);
  assert.deepEqual(nullOnlyOf(own).sort(), listed);
});

type Schema = { type?: string; properties?: Record<string, Schema>; anyOf?: Schema[] };

/** Paths of the fields of which a schema says that they are null. */
function nullOnlyOf(properties: object, path = ''): string[] {
  return Object.entries(properties as Record<string, Schema>).flatMap(([name, schema]) => {
    const at = path ? `${path}.${name}` : name;
    if (schema.type === 'null') return [at];
    return [schema, ...(schema.anyOf ?? [])].flatMap((one) => nullOnlyOf(one.properties ?? {}, at));
  });
}
