/** The language's pages are what its rows give, and their examples run. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ROWS } from '../domain/verbs/index.ts';
import { lint } from '../lint/lint.ts';
import { simulate } from '../simulate/simulate.ts';
import { readXml } from '../xml/read-xml.ts';
import { EXAMPLES } from './examples.ts';
import { allowed, languageMarkdown } from './markdown.ts';
import { languageSchema } from './schema.ts';

const file = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

for (const [name, made] of [
  ['LANGUAGE.md', languageMarkdown(ROWS)],
  ['language.schema.json', languageSchema(ROWS)],
] as const)
  test(`${name} is what the rows give`, () => {
    assert.ok(file(name) === made, `${name} is old: npm run flow -- docs`);
  });

for (const { name } of ROWS)
  test(`the example of ${name} has it, gives no finding, and its call ends`, () => {
    const xml = `<Response>${EXAMPLES[name] ?? ''}</Response>`;
    assert.match(xml, new RegExp(`<${name}[ >/]`));
    assert.deepEqual(lint(xml).findings, []);
    assert.notEqual(simulate({ xml }).call.ended, undefined);
  });

test('every example belongs to an element', () => {
  const names = ROWS.map((row) => row.name);
  assert.deepEqual(
    Object.keys(EXAMPLES).filter((name) => !names.includes(name)),
    [],
  );
});

type Schema = {
  $defs: Record<
    string,
    {
      properties: {
        attributes: {
          properties: Record<
            string,
            { pattern?: string; maxLength?: number; 'x-minimum'?: number; 'x-maximum'?: number }
          >;
        };
      };
    }
  >;
};
const schema = JSON.parse(languageSchema(ROWS)) as Schema;

test('the schema admits the attributes of every example, and refuses what the rows refuse', () => {
  const admits = (element: string, name: string, value: string) => {
    const row = schema.$defs[element]!.properties.attributes.properties[name]!;
    const number = Number(value);
    return (
      new RegExp(row.pattern ?? '').test(value) &&
      value.length <= (row.maxLength ?? Infinity) &&
      !(row['x-minimum'] !== undefined && number < row['x-minimum']) &&
      !(row['x-maximum'] !== undefined && number > row['x-maximum'])
    );
  };
  let seen = 0;
  const look = (element: { name: string; attributes: Record<string, string>; children: unknown[] }): void => {
    for (const [name, value] of Object.entries(element.attributes)) {
      seen++;
      assert.ok(admits(element.name, name, value), `${element.name} ${name}=${value}`);
    }
    for (const child of element.children) look(child as typeof element);
  };
  for (const example of Object.values(EXAMPLES)) {
    const read = readXml(`<Response>${example}</Response>`);
    assert.ok(read.ok);
    look(read.root);
  }
  assert.ok(seen > 40, `${seen} attributes`);
  assert.equal(admits('Gather', 'attempts', '99'), false);
  assert.equal(admits('Schedule', 'dow', 'sun,moon'), false);
  assert.equal(admits('Schedule', 'dow', 'Sun, mon'), true);
  assert.equal(admits('Say', 'gender', 'feMale'), true);
  assert.equal(admits('Callback', 'url', '/flow'), false);
});

test('every attribute says in words what may be written', () => {
  for (const row of ROWS)
    for (const attribute of row.attributes) assert.ok(allowed(attribute).length > 3, `${row.name} ${attribute.name}`);
});
