/** What customers are told of a verb: its attributes and blocks, no secret, and never more than a kilobyte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocument } from '../../xml/document.ts';
import { toldElement } from './told-element.ts';

function told(xml: string): Record<string, unknown> {
  const parsed = parseDocument(`<Response>${xml}</Response>`);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const text = toldElement(parsed.document.verbs[0]!);
  assert.ok(text.length <= 1_024, `${text.length} characters`);
  return JSON.parse(text) as Record<string, unknown>;
}

test('a verb is told with whom it dials and what follows a failure', () => {
  const xml = '<Dial timeout="20000"><Sip>a@b.test</Sip><Number>12125550100</Number><Error><Hangup/></Error></Dial>';
  assert.partialDeepStrictEqual(told(xml), {
    name: 'Dial',
    timeout_ms: 20_000,
    To: ['sip:a@b.test', 'tel:12125550100'],
    Error: [{ name: 'Hangup' }],
  });
});

test('blocks are told with what they wait for, and variables by their own names', () => {
  const xml =
    '<Gather><Say>Press.</Say><Case dtmf="1"><Pause length="100"/></Case><Default><Hangup/></Default><Meta name="MyVar" value="7"/></Gather>';
  assert.partialDeepStrictEqual(told(xml), {
    name: 'Gather',
    children: [{ name: 'Say', text: 'Press.' }],
    Case: [{ dtmf: '1', children: [{ name: 'Pause', length_ms: 100 }] }],
    Default: [{ name: 'Hangup' }],
    Meta: { MyVar: 7 },
  });
});

test('no header, no body and no log-in is told', () => {
  const login = 'user:s3cret';
  const curl = told(
    `<Curl url="http://${login}@a.test/c" method="POST">s3cret<Header name="Authorization" value="s3cret"/></Curl>`,
  );
  assert.equal(curl.url, 'http://a.test/c');
  assert.equal(told('<Callback url="http://a.test/c" method="POST"/>').method, 'POST');
  assert.ok(!JSON.stringify(curl).includes('s3cret'));
  const long = told(`<Play url="http://${login}${'x'.repeat(300)}@a.test/p.wav"/>`);
  assert.ok(!JSON.stringify(long).includes('s3cret'), 'not of an address that is cut either');
});

test('no log-in is told however it is written, nor a password of a SIP address', () => {
  const shown = (text: string) => told(`<Say>${text}</Say>`).text;
  for (const [written, kept] of [
    ['sip:alice:s3cret@pbx.test;transport=tcp', 'sip:alice@pbx.test;transport=tcp'],
    ['SIPS:alice:s3cret@pbx.test', 'SIPS:alice@pbx.test'],
    ['sip:alice:s3@cret@pbx.test', 'sip:alice@pbx.test'],
    ['sip:alice@pbx.test:5061', 'sip:alice@pbx.test:5061'],
    ['https:\\\\user:s3cret@a.test/p.wav', 'https:\\\\a.test/p.wav'],
    ['https:/\\user:s3cret@a.test', 'https:/\\a.test'],
    ['https:/user:s3cret@a.test', 'https:/a.test'],
    ['https:user:s3cret@a.test', 'https:a.test'],
    ['https://user:s3@cret@a.test/b@c', 'https://a.test/b@c'],
    ['mail a@b.test or c@d.test', 'mail a@b.test or c@d.test'],
  ] as const)
    assert.equal(shown(written), kept);
});

test('what is too large is told without its blocks, then by its name', () => {
  const cases = Array.from({ length: 9 }, (_, n) => `<Case dtmf="${n}"><Say>${'x'.repeat(150)}</Say></Case>`).join('');
  const { Case, ...gather } = told(`<Gather>${cases}</Gather>`);
  assert.deepEqual([Case, gather.name, gather.digits_max], [undefined, 'Gather', 1]);
  const say = told(`<Say>${'é"'.repeat(5_000)}</Say>`);
  assert.equal((say.text as string).length, 200);
  const play = Array.from({ length: 6 }, () => '<Number>12125550100</Number>').join('');
  assert.equal((told(`<Dial>${play}</Dial>`).To as string[]).length, 6);
});
