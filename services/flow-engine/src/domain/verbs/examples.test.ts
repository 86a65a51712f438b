/** The documents that the reference describes (section 4, and the page the product was asked for with), run and told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../../simulate/tell.ts';

const on = (hour: number, minute = 0, second = 0) => ({ at: Date.UTC(2026, 10, 23, hour, minute, second) }); // a Monday
const served = { server: () => ({ status: 200, body: '<Response><Say>from the server</Say></Response>' }) };

test('4.1: examples begin with an XML declaration, fragments omit it', () => {
  const xml = '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Say>hello</Say></Response>';
  assert.deepEqual(tell('', { xml }).words, ['hello']);
});

test('4.2: a Call block for one dialled number and one for one caller, then the flow goes on', () => {
  const document =
    '<Call field="to" value="18005550100"><Say>main line</Say></Call><Call field="from" value="13105550100"><Say>boss</Say></Call><Say>all</Say>';
  assert.deepEqual(tell(document).words, ['main line', 'all']);
  assert.deepEqual(tell(document, { from: '+13105550100' }).words, ['main line', 'boss', 'all']);
});

test('4.3: the callback of the Dynamic page is in lower case, its address is its content', () => {
  const told = tell('<callback>http://a.test/flow</callback><Say>after</Say>', served);
  assert.deepEqual(told.words, ['from the server', 'after']);
  assert.equal(told.verbs[0], 'Callback[0] fetched');
  assert.equal(told.verbs[1], 'Callback[0].Say[0] finished');
});

test('4.4: business hours and nights, two blocks that overlap at 18:00:00', () => {
  const document =
    '<Schedule dow="mon,tue,wed,thu,fri" time="07:00:00-18:00:00"><Say>open</Say></Schedule><Scheduler time="18:00:00-06:59:59"><Say>closed</Say><Hangup/></Scheduler><Say>end</Say>';
  assert.deepEqual(tell(document, on(7)).words, ['open', 'end']);
  assert.deepEqual(tell(document, on(18)).words, ['open', 'closed'], 'ranges include both ends');
  assert.deepEqual(tell(document, on(6, 59, 59)).words, ['closed']);
  assert.deepEqual(tell(document, on(18, 0, 1)).words, ['closed']);
});

test('4.5: all matching Geo blocks run, in order', () => {
  const document =
    '<Geo states="NY,NJ"><Say>east</Say></Geo><Geo states="NY" county="KINGS"><Say>brooklyn</Say></Geo><Geo><Say>anyone</Say></Geo>';
  assert.deepEqual(tell(document, { location: { state: 'NY', county: 'KINGS' } }).words, [
    'east',
    'brooklyn',
    'anyone',
  ]);
  assert.deepEqual(tell(document, { location: { state: 'TX', county: 'BEXAR' } }).words, ['anyone']);
});

test('4.6: an Error after Play, with a Hangup in it', () => {
  const told = tell('<Play record="gone"/><Error><Hangup/></Error><Say>never</Say>');
  assert.deepEqual([told.words, told.ended], [[], 'document hangup']);
});

test('4.10: a Record block around a Pause that a key ends, then the recording is played', () => {
  const document =
    '<Record tag="memo" timeout="45000"><Pause length="30000" dtmf_stop="#"/></Record><Play record="memo"/>';
  const told = tell(document, { pressAt: [{ at: 4_000, digit: '#' }] });
  const [recorded] = told.of('RecordFinished');
  assert.equal(recorded!.reason, 'stopped');
  assert.ok(Math.abs(recorded!.durationMs - 4_000) < 20);
  assert.deepEqual(told.words, [`recording ${told.of('RecordRequested')[0]!.recordingId}`]);
});

test('4.11: voicemail is a prompt and an empty Record', () => {
  const told = tell('<Say>leave a message</Say><Record/>');
  assert.deepEqual(told.verbs, ['Say[0] finished', 'Record[0] silence']);
});

test('4.11: ring-all is one Dial with several Numbers, hunting is several Dials in a row', () => {
  const all = tell('<Dial><Number>12125550101</Number><Number>12125550102</Number></Dial>');
  assert.equal(all.of('DialRequested').length, 2);
  assert.equal(all.of('DialRequested')[0]!.at, all.of('DialRequested')[1]!.at);
  const hunt = tell('<Dial><Number>12125550101</Number></Dial><Dial><Number>12125550102</Number></Dial>', {
    callees: { 'tel:12125550101': 'busy' },
  });
  assert.deepEqual(
    hunt.of('DialRequested').map((e) => e.target),
    ['tel:12125550101', 'tel:12125550102'],
  );
  assert.ok(hunt.of('DialRequested')[1]!.seq > hunt.of('DialFailed')[0]!.seq);
});

test('4.11: the menu that the client’s builder emits', () => {
  const menu =
    '<Gather numDigits="1" attempts="2" timeout="10000" finishOnKey="*"><Say>choose</Say><Switch><Case dtmf="1"><Dial><Number>12125550101</Number></Dial></Case><Error><Hangup/></Error></Switch></Gather>';
  assert.equal(tell(menu, { press: ['1'] }).of('DialRequested')[0]!.target, 'tel:12125550101');
  assert.deepEqual(tell(menu).words, ['choose', 'choose']);
  assert.equal(tell(menu).ended, 'document hangup');
});

test('4.12: dialect B, a Say before the Gather, nested Gathers in DTMF, Default and Error', () => {
  const document =
    '<Say>main menu</Say><Gather dtmf_length="1" dtmf_stop="#"><DTMF value="1"><Say>which colour</Say><Gather dtmf_length="2"><DTMF value="12"><Say>red</Say></DTMF></Gather></DTMF><Default><Say>no such code</Say></Default><Error><Say>nothing entered</Say></Error></Gather>';
  assert.deepEqual(tell(document, { press: ['1', '1', '2'] }).words.slice(0, 1), ['main menu']);
  const inner = tell(document, {
    pressAt: [
      { at: 100, digit: '1' },
      { at: 5_000, digit: '1' },
      { at: 5_500, digit: '2' },
    ],
  });
  assert.deepEqual(inner.words, ['main menu', 'which colour', 'red']);
  assert.ok(inner.verbs.includes('Gather[0].DTMF[0].Gather[0].DTMF[0].Say[0] finished'));
  assert.deepEqual(tell(document, { press: ['9'] }).words, ['main menu', 'no such code']);
  assert.deepEqual(tell(document).words, ['main menu', 'nothing entered']);
});

test('4.15: the ringing tone of the US, and a Tone whose v is -70', () => {
  const told = tell('<Tone hz="440,480,350,620" don="2000" doff="4000" loop="2"/><Tone v="-70"/>');
  assert.deepEqual(told.words, ['tone 440+480+350+620 Hz', 'tone 440+480 Hz']);
  assert.equal(told.of('PlayFinished')[0]!.playedMs, 12_000);
});

test('4.17: Meta in a Tone and in a DTMF branch is known to the callbacks that follow', () => {
  const document =
    '<Tone don="100" doff="0"><Meta name="lang" value="en"/></Tone><Gather dtmf_length="1"><DTMF value="1"><Meta name="choice">sales</Meta><Callback url="http://a.test/"/></DTMF></Gather>';
  const told = tell(document, { ...served, press: ['1'] });
  const query = new URL(told.of('DocumentRequested')[0]!.url).searchParams;
  assert.deepEqual([query.get('lang'), query.get('choice'), query.get('dtmf')], ['en', 'sales', '1']);
});

test('the document of the page the product was asked for with', () => {
  const document =
    '<Say>Thank you for calling Opentact.</Say><Record/><Gather numDigits="1" attempts="2" timeout="10000" finishOnKey="*"><Say>Now please enter a 1 for man, 2 for woman.</Say><Switch><Case dtmf="1"><Say>Hi, man</Say><Callback url="http://a.test/"/></Case><Case dtmf="2"><Say>Hi, woman</Say><Dial><Sip>1000@b.test:9000</Sip></Dial></Case><Default><Say>Hi, nobody</Say><Callback method="post" url="http://a.test/"/></Default><Error><Say>No DTMF Code entered.</Say></Error></Switch></Gather><Hangup/>';
  const heard = (press: string[]) => tell(document, { ...served, press }).words.slice(2);
  assert.deepEqual(heard(['1']), ['Hi, man', 'from the server']);
  assert.deepEqual(heard(['2']), ['Hi, woman', 'tone ringback', 'the callee']);
  assert.deepEqual(heard(['7']), ['Hi, nobody', 'from the server']);
  assert.deepEqual(heard([]), ['Now please enter a 1 for man, 2 for woman.', 'No DTMF Code entered.']);
});
