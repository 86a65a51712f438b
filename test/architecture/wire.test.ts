/** Plants one break of the wire contract at a time in a copy of it, and expects the name of the rule that sees it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROTO = fileURLToPath(new URL('../../proto/', import.meta.url));
const EVENTS = 'opentact/call/v1/events.proto';
const folder = mkdtempSync(join(tmpdir(), 'opentact-wire-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The rules that `buf breaking` names where this change was made to the events; none: it is allowed. */
function brokenBy(from: string, to: string): string[] {
  const copy = mkdtempSync(join(folder, 'proto-'));
  for (const path of ['buf.yaml', 'image.binpb', 'opentact'])
    cpSync(join(PROTO, path), join(copy, path), { recursive: true });
  const text = readFileSync(join(copy, EVENTS), 'utf8');
  assert.ok(text.includes(from), `${EVENTS} no longer holds ${from}`);
  writeFileSync(join(copy, EVENTS), text.replace(from, to));
  const args = ['breaking', '--against', 'image.binpb', '--error-format', 'json'];
  const { status, stdout, stderr } = spawnSync(join(PROTO, 'node_modules/.bin/buf'), args, {
    cwd: copy,
    encoding: 'utf8',
  });
  const rules = stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { type: string }).type]));
  assert.equal(status === 0, rules.length === 0, stderr);
  return rules;
}

const DIGIT = '  string digit = 2; // 0-9 * # A-D.';

test('a field whose number, type or name changes is a break, and so is one that goes', () => {
  assert.ok(brokenBy(DIGIT, '  string digit = 7;').includes('FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED'));
  assert.ok(brokenBy(DIGIT, '  uint32 digit = 2;').includes('FIELD_WIRE_JSON_COMPATIBLE_TYPE'));
  assert.ok(brokenBy(DIGIT, '  string key = 2;').includes('FIELD_SAME_JSON_NAME'));
  assert.ok(brokenBy(DIGIT, '').includes('FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED'));
});

test('an event that goes, or whose number becomes another’s, is a break', () => {
  const silent = '    MediaSilent media_silent = 19; // No RTP from the peer for the announced time.\n';
  assert.ok(brokenBy(silent, '').includes('FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED'));
  assert.ok(brokenBy(silent, '    LegRang media_silent = 19;\n').length > 0);
});

test('a new field and a new event are none', () => {
  assert.deepEqual(brokenBy(DIGIT, `${DIGIT}\n  uint32 volume = 40;`), []);
  assert.deepEqual(brokenBy('    // Decided:', '    LegRang leg_rang_again = 59;\n\n    // Decided:'), []);
});
