/** The OpenAPI document says of every operation what a reader needs. No database. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Document, type Operation, operationsOf, readDocument } from '../reference/document.ts';
import { referred } from './docs/named-schemas.ts';
import { TAGS } from './docs/prose.ts';

let document: Document;
let operations: Array<[string, Operation]>;

before(async () => {
  document = await readDocument();
  operations = operationsOf(document).map(({ method, path, operation }) => [`${method} ${path}`, operation]);
});

/** Each operation of which something is wrong, with what. */
const faults = (judge: (of: Operation, name: string) => string | false | undefined) =>
  operations.flatMap(([name, of]) => {
    const fault = judge(of, name);
    return fault ? [`${name}: ${fault}`] : [];
  });

test('every operation has an id of its own, one tag and a summary: spread operation(…) into its schema', () => {
  assert.ok(operations.length > 30);
  const ids = operations.map(([, { operationId }]) => operationId);
  assert.deepEqual(
    faults(({ operationId, tags, summary }) => {
      if (!operationId || !/^[A-Z][A-Za-z0-9]+$/.test(operationId)) return 'no operationId';
      if (ids.indexOf(operationId) !== ids.lastIndexOf(operationId)) return `${operationId} twice`;
      if (tags?.length !== 1 || !Object.hasOwn(TAGS, tags[0]!)) return 'no tag';
      return !summary || summary.length > 80 || summary.endsWith('.') ? 'no summary' : undefined;
    }),
    [],
  );
});

test('every operation says who may, and how it refuses', () => {
  assert.ok(document.security.length > 0);
  assert.deepEqual(
    faults(({ security = document.security, responses, parameters = [], requestBody }) => {
      for (const scheme of security.flatMap(Object.keys))
        if (!Object.hasOwn(document.components.securitySchemes, scheme)) return `unknown scheme ${scheme}`;
      const owed = ['400', '429'];
      if (security.length > 0) owed.push('401');
      if (parameters.some((p) => p.in === 'path')) owed.push('404');
      if (requestBody) owed.push('413', '415');
      const missing = owed.filter((status) => !responses[status]);
      if (missing.length > 0) return `no answer ${missing.join(', ')}`;
      if (!Object.keys(responses).some((status) => status.startsWith('2'))) return 'no success';
      for (const [status, { $ref, content, description }] of Object.entries(responses))
        if (!$ref && !content && (status < '300' || !description)) return `${status} is not described`;
      return undefined;
    }),
    [],
  );
});

test('every pattern says in words what it wants: its description is in the refusal', () => {
  const wordless = (of: unknown): string[] => {
    if (typeof of !== 'object' || of === null) return [];
    const { pattern, description } = of as { pattern?: unknown; description?: string };
    return [...(typeof pattern === 'string' && !description ? [pattern] : []), ...Object.values(of).flatMap(wordless)];
  };
  assert.deepEqual(
    faults(({ parameters = [], requestBody }) => {
      const described = parameters.map(({ description, schema }) => ({
        ...schema,
        ...(description && { description }),
      }));
      return wordless([described, requestBody]).join(', ') || undefined;
    }),
    [],
  );
});

test('an upload is described with its field', () => {
  const upload = document.paths['/rest/sip/app/call/flow/{uuid}']!.post!.requestBody;
  assert.match(JSON.stringify(upload), /"multipart\/form-data":.*"file":\{"type":"string","format":"binary"\}/);
});

test('what an answer is made of has a name: a call, an app, a lease stand once, and are referred to', () => {
  const { schemas } = document.components;
  for (const name of ['Account', 'App', 'Call', 'Lease', 'Order', 'Recording', 'Transaction', 'User', 'Failure'])
    assert.ok(schemas[name], name);
  const referred = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  assert.deepEqual(new Set([...referred].map(([, name]) => name)), new Set(Object.keys(schemas)));
  assert.doesNotMatch(JSON.stringify(document.paths), /"title":"/);
});

test('two schemas of one name that differ are refused', () => {
  const thing = (type: string) => ({ title: 'Thing', type: 'object', properties: { a: { type } } });
  assert.deepEqual(referred([thing('string'), { ...thing('string'), description: 'Ours.' }], {}), [
    { $ref: '#/components/schemas/Thing' },
    { $ref: '#/components/schemas/Thing', description: 'Ours.' },
  ]);
  assert.throws(() => referred([thing('string'), thing('integer')], {}), /two schemas are called Thing/);
});
