/** Exploration finds all ways of a document, and says what it could not reach. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explore } from './explore.ts';
import { treeOf } from './tree.ts';

const SEED = readFileSync(new URL('../../../../test/scenarios/documents/seed.xml', import.meta.url), 'utf8');
const of = (verbs: string) => ({ xml: `<Response>${verbs}</Response>` });
const told = (verbs: string, bounds = {}) => explore(of(verbs), bounds);
const ways = (verbs: string) => told(verbs).walks.map(({ choices }) => choices.map(({ option }) => option).join(', '));

test('the seed document has ten outcomes, and every verb of it is reached', () => {
  const { walks, never, stopped } = explore({ xml: SEED });
  const outcomes = walks.map(({ choices, ended, heard }) => [
    choices.map(({ option }) => option).join(', '),
    ended,
    heard.at(-1),
  ]);
  assert.deepEqual(outcomes, [
    ['nothing entered', 'document: hangup', '"No DTMF Code entered."'],
    ['keys 1, answers 200', 'document: hangup', '"Hi, man"'],
    ['keys 1, can’t be had', 'document: hangup', '"Hi, man"'],
    ['keys 2, the callee answers', 'document: hangup', 'the callee'],
    ['keys 2, the callee is busy', 'document: hangup', '"Hi, woman"'],
    ['keys 2, the callee doesn’t answer', 'document: hangup', 'tone ringback'],
    ['other keys, 9, answers 200', 'document: hangup', '"Hi, nobody"'],
    ['other keys, 9, can’t be had', 'document: hangup', '"Hi, nobody"'],
    ['* alone', 'document: hangup', '"No DTMF Code entered."'],
    ['hangs up after 22.8 s, in Gather[0].Case[1].Dial[0]', 'caller: bye', 'tone ringback'],
  ]);
  assert.deepEqual([never, stopped], [[], []]);
});

test('conditions come out both ways by another caller, home, number or moment', () => {
  assert.deepEqual(ways('<Call field="from" value="13015550100"><Hangup/></Call><Say>on</Say>').slice(0, 2), [
    'a call from 12125550199',
    'a call from 13015550100',
  ]);
  assert.deepEqual(told('<Call field="to" value="18005550100"><Hangup/></Call><Say>on</Say>').never, []);
  assert.deepEqual(told('<Geo states="CA"><Hangup/></Geo><Say>on</Say>').never, []);
  const shop =
    '<Schedule dow="mon" time="09:07:10-09:07:20" tz="Asia/Kathmandu"><Say>open</Say><Hangup/></Schedule><Say>closed</Say>';
  assert.deepEqual(told(shop).never, []);
  const curl = '<Curl url="http://a.test/" tag="crm"/><Call field="meta.crm.vip" value="true"><Say>dear</Say></Call>';
  assert.deepEqual(told(curl).never, []);
});

test('a Hold is ended, a group known, a Play heard, a recording made, and each of them not', () => {
  const { never } = told(
    '<Hold><Say>wait</Say></Hold><Dial><Group>5f0c6a1e-7b1d-4c59-9f43-1f2f3a4b5c6d</Group><Error><Say>none</Say></Error></Dial>' +
      '<Play>http://a.test/a.wav<Error><Say>silence</Say></Error></Play><Record><Error><Say>disk</Say></Error></Record>',
  );
  assert.deepEqual(never, []);
});

test('what can’t be reached is listed', () => {
  const { never } = told(
    '<Gather numDigits="1"><Say>a</Say><Case dtmf="12"><Say>never</Say></Case><Error><Hangup/></Error></Gather><Hangup/><Say>b</Say>',
  );
  assert.deepEqual(never, ['Gather[0].Case[0].Say[0]', 'Hangup[0]', 'Say[0]']);
});

test('documents of a server are walked, too', () => {
  const body = '<Response><Gather><DTMF value="7"><Say>seven</Say></DTMF></Gather></Response>';
  const { walks } = explore({ ...of('<Callback url="http://a.test/flow"/>'), server: () => ({ status: 200, body }) });
  assert.ok(walks.some(({ heard }) => heard.includes('"seven"')));
});

test('its bounds are kept, and it says so', () => {
  const menu =
    '<Gather numDigits="2"><Case dtmf="1"><Say>a</Say></Case><Case dtmf="2"><Say>b</Say></Case><Error/></Gather>';
  const many = told(menu.repeat(12), { runs: 50 });
  assert.equal(many.walks.length, 51);
  assert.deepEqual(many.stopped, ['50 calls']);
  assert.deepEqual(told(menu.repeat(5), { depth: 2 }).stopped, ['2 choices in one call']);
  let asked = 0;
  assert.deepEqual(told(menu.repeat(5), { isLate: () => ++asked > 10 }).stopped, ['time']);
});

test('the tree says each choice once, and who ended each call', () => {
  const lines = treeOf(
    told(
      '<Gather><Say>1?</Say><DTMF value="1"><Callback url="http://a.test/"/></DTMF><Error><Reject/></Error></Gather>',
    ),
  );
  assert.deepEqual(lines.slice(0, 6), [
    'Gather[0]: nothing entered',
    '    ⇒ document: rejected   heard: "1?"',
    'Gather[0]: keys 1',
    '  Gather[0].DTMF[0].Callback[0] GET http://a.test/: answers 200',
    '      ⇒ document: document-end   heard: "1?"',
    '  Gather[0].DTMF[0].Callback[0] GET http://a.test/: can’t be had',
  ]);
});
