/** Orders by API on a live call, and what a document could do to the engine that runs it: contracts.md, limits; ADR 13. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEvent } from '@opentact/proto';
import { type Told, tell } from '../../simulate/tell.ts';

const order = (at: number, verbs: string) => ({ at, xml: `<Response>${verbs}</Response>` });
const dialled = (verbs: string, calleeStaysMs = 60_000) =>
  tell('<Dial>1001@b.test</Dial>', { orders: [order(4_000, verbs)], calleeStaysMs });
const reasonOf = (told: Told, path: string) => told.of('VerbEnded').find((e) => e.path === path)?.reason;
const hungUp = (told: Told) => told.of('HangupRequested').filter((e) => e.leg > 0);

test('an Unhold that comes too late, or twice, is refused, and the flow goes on', () => {
  const late = tell('<Hold timeout="1000"/><Say>a long goodbye to you</Say>', {
    orders: [order(1_500, '<Unhold/><Say>never</Say>')],
  });
  assert.deepEqual(late.words, ['tone hold-music', 'a long goodbye to you']);
  assert.match(late.of('DocumentRejected')[0]!.reason, /nobody is held/);
  const twice = tell('<Hold/><Say>a long goodbye to you</Say>', {
    orders: [order(1_000, '<Unhold/>'), order(1_100, '<Unhold/>')],
  });
  assert.deepEqual(twice.words, ['tone hold-music', 'a long goodbye to you']);
});

test('held again and again by orders, a call stays small and its orders stay shallow', () => {
  const orders = Array.from({ length: 40 }, (_, i) =>
    order(1_000 * (i + 1), '<Unhold/><Callback url="http://a.test/"/><Hold/>'),
  );
  const told = tell('<Hold/>', { orders, hangupAfterMs: 60_000 });
  assert.equal(told.of('VerbEnded').filter((e) => e.name === 'Callback' && !e.success).length, 0);
  assert.ok(Math.max(...told.of('VerbStarted').map((e) => e.path.length)) < 600);
});

test('who was spoken to and hangs up takes the play along, and the flow goes on', () => {
  for (const leg of ['bleg', 'both']) {
    const told = dialled(`<Tone leg="${leg}" don="3000" doff="3000"/><Say>next</Say>`, 4_000);
    assert.match(reasonOf(told, 'Tone[0]') ?? 'it never ended', /stopped|finished/, leg);
    assert.equal(told.words.at(-1), 'next');
  }
});

test('whom a document speaks to stays connected, in whichever branch it does', () => {
  const spoken = '<Tone leg="bleg" don="100" doff="0"/>';
  for (const verbs of [
    spoken,
    `<Gather timeout="100"><Default>${spoken}</Default></Gather>`,
    `<Play record="none"><Error>${spoken}</Error></Play>`,
    `<Pause length="100"/><Error>${spoken}</Error>`,
  ])
    assert.deepEqual(
      hungUp(dialled(`${verbs}<Pause/>`)).map((e) => e.reason),
      ['document-end'],
      verbs,
    );
  assert.deepEqual(
    hungUp(dialled('<Pause/>')).map((e) => e.reason),
    ['replaced'],
  );
});

test('a Dial lets go whom an order kept connected', () => {
  const told = dialled('<Tone leg="bleg" don="100" doff="0"/><Dial>1002@b.test</Dial>');
  assert.deepEqual(
    hungUp(told)
      .map((e) => `${e.leg} ${e.reason}`)
      .slice(0, 1),
    ['1 replaced'],
  );
  assert.equal(told.of('BridgeStarted').length, 2);
});

test('another document waits for nothing that the one before waited for', () => {
  const orders = Array.from({ length: 20 }, (_, i) => order(100 * (i + 1), '<Hold timeout="3600000"/>'));
  const told = tell('<Hold timeout="3600000"/>', { orders, hangupAfterMs: 10_000 });
  assert.equal(told.of('TimerSet').length - told.of('TimerCancelled').length, 2, 'the longest time, and the last Hold');
});

test('a key in the prompt of a Gather that asks a server is told once, and asked once', () => {
  const told = tell(
    '<Gather callback="http://a.test/" timeout="10"><Say>a question that takes a while</Say></Gather>',
    {
      pressAt: [{ at: 400, digit: '7' }],
    },
  );
  assert.deepEqual(told.verbs, ['Gather[0].Say[0] digit', 'Gather[0] entered 7']);
  assert.equal(told.of('DocumentRequested').length, 1);
});

test('three recordings go on behind a flow; one more fails, and many cost nothing', () => {
  const told = tell('<RecordStart tag="a"/><RecordStart tag="b"/><RecordStart tag="c"/><RecordStart tag="d"/><Pause/>');
  assert.deepEqual(
    told.of('RecordRequested').map((e) => e.tag),
    ['a', 'b', 'c'],
  );
  assert.equal(reasonOf(told, 'RecordStart[3]'), 'too-many-recordings');
  const began = performance.now();
  tell(`${'<RecordStart/>'.repeat(250)}${'<RecordStop/>'.repeat(240)}`);
  assert.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`);
});

test('what a customer’s server gives as variables makes no address and no event too large', () => {
  const fields = (letter: string) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, letter.repeat(1_000)])));
  for (const letter of ['x', '€', '\u0001']) {
    const curls = Array.from({ length: 5 }, (_, i) => `<Curl url="http://a.test/" tag="t${i}"/>`).join('');
    const told = tell(`${curls}<Callback method="POST" body="true" url="http://a.test/c"/>`, {
      server: () => ({ status: 200, body: fields(letter) }),
    });
    const asked = told.of('DocumentRequested').at(-1)!;
    assert.ok(asked.url.length < 6_000, `${asked.url.length}`);
    assert.ok(encodeEvent(asked).length < 256 * 1024, `${encodeEvent(asked).length}`);
  }
});

test('an only prompt of a Hold is repeated by its play, and music stands in for one that can’t be had', () => {
  const told = tell(`<Hold timeout="5000"><Say loop="1000">${'word '.repeat(700)}</Say></Hold>`);
  assert.ok(encodeEvent(told.of('PlayRequested')[0]!).length < 8_192);
  const silent = tell('<Hold timeout="5000"><Play>http://a.test/x.wav</Play></Hold>', {
    server: () => ({ status: 404, body: '' }),
  });
  assert.equal(silent.words.at(-1), 'tone hold-music');
});

test('the Directory is asked once a call, even where it knows nothing', () => {
  const told = tell('<Geo states="NY"/><Geo states="NJ"/><Geo states="TX"/>');
  assert.equal(told.of('LocationRequested').length, 1);
});

test('a group rings nobody twice', () => {
  const group = '7d9a3c1e-8f20-4d53-9a11-5d0e2f4b6c70';
  const told = tell(`<Dial><Group>${group}</Group><Group>${group}</Group><Sip>g0@x.test</Sip></Dial>`, {
    groups: { [group]: ['sip:g0@x.test', 'sip:g1@x.test'] },
    callee: 'silent',
  });
  assert.deepEqual(
    told.of('DialRequested').map((e) => e.target),
    ['sip:g0@x.test', 'sip:g1@x.test'],
  );
});

test('a number is the same however it came: written, as text, or in a JSON answer', () => {
  const told = tell(
    '<Curl url="http://a.test/" tag="c"/><Call field="meta.c.price" value="12.50"><Say>price</Say></Call><Call field="meta.c.paid" value="TRUE"><Say>paid</Say></Call><Call field="meta.constructor" value="null"><Say>none</Say></Call>',
    { server: () => ({ status: 200, body: '{"price":"12.50","paid":true}' }) },
  );
  assert.deepEqual(told.words, ['price', 'paid', 'none']);
});

test('a path names one verb: what a Gather fetched stands apart from its prompts', () => {
  const told = tell(
    '<Gather url="http://a.test/next"><Say>enter</Say><DTMF value="12"><Say>twelve</Say></DTMF></Gather>',
    {
      press: ['3', '4'],
      server: () => ({ status: 200, body: '<Response><Say>fetched</Say></Response>' }),
    },
  );
  const paths = told.verbs.map((line) => line.split(' ')[0]!);
  assert.ok(paths.includes('Gather[0].Say[0]') && paths.includes('Gather[0].Response[0].Say[0]'), paths.join(' '));
  assert.equal(new Set(paths).size, paths.length, paths.join(' '));
});
