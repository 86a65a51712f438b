/**
 * Every row of every attribute table: quoted, run by the production `step`, and seen in the event that the attribute
 * changes. A row without a line here is a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../../simulate/simulate.ts';
import { type Told, tell } from '../../simulate/tell.ts';
import { parseDocument } from '../../xml/document.ts';
import { ROWS } from './index.ts';

const GROUP = '7d9a3c1e-8f20-4d53-9a11-5d0e2f4b6c70';
const playOf = (told: Told) => told.of('PlayRequested')[0]!;
const askedOf = (told: Told) => told.of('DocumentRequested').at(-1)!;
const fieldOf = (told: Told, name: string) => new URL(askedOf(told).url).searchParams.get(name);
const endOf = (told: Told, path: string) => told.of('VerbEnded').find((e) => e.path === path)!;
const waitOf = (told: Told, purpose: string) => {
  const timer = told.of('TimerSet').find((e) => e.purpose === purpose)!;
  return timer.dueAt - timer.at;
};
const equal: typeof assert.equal = assert.equal;
const serve = (body: string): Partial<Scenario> => ({ server: () => ({ status: 200, body }) });
const reasonOf = (verbs: string) => {
  const parsed = parseDocument(`<Response>${verbs}</Response>`);
  return parsed.ok ? '' : parsed.reason;
};
const refused = (verbs: string, why: RegExp): void => assert.match(reasonOf(verbs), why, verbs);
/** A tag is copied into the events of its verb. */
const tagged = (verbs: string, scenario: Partial<Scenario> = {}) => {
  const told = tell(verbs, scenario);
  equal(told.of('VerbStarted')[0]!.tag, 'mine');
  equal(told.of('VerbEnded').find((e) => e.path === told.of('VerbStarted')[0]!.path)!.tag, 'mine');
};
const SUNDAY_NOON = Date.UTC(2026, 10, 22, 12);
const ran = (verbs: string, scenario: Partial<Scenario> = {}) => tell(verbs, scenario).words.join(' ');

const SHOWN: Record<string, () => void> = {
  'Answer delay': () => equal(waitOf(tell('<Answer delay="700"/>', { autoAnswer: false }), 'answer-delay'), 700),
  'Answer tag': () => tagged('<Answer tag="mine"/>'),

  'Say text': () => assert.deepEqual(tell('<Say text="hello"/>').words, ['hello']),
  'Say type': () => {
    const kind = (type: string) => speech(`<Say${type}>x</Say>`).kind;
    assert.deepEqual([kind(' type="wavenet"'), kind('')], ['WaveNet', undefined]);
    refused('<Say type="Neural">x</Say>', /WaveNet, Standard/);
  },
  'Say gender': () => {
    assert.deepEqual([speech('<Say gender="male">x</Say>').gender, speech('<Say>x</Say>').gender], ['MALE', 'FEMALE']);
  },
  'Say code': () => equal(speech('<Say code="en-US-Wavenet-A">x</Say>').voice, 'en-US-Wavenet-A'),
  'Say lang': () =>
    assert.deepEqual([speech('<Say lang="es-MX">x</Say>').lang, speech('<Say>x</Say>').lang], ['es-MX', 'en-US']),
  'Say loop': () => equal(playOf(tell('<Say loop="3">x</Say>')).loop, 3),
  'Say tag': () => tagged('<Say tag="mine">x</Say>'),

  'Play url': () => {
    assert.deepEqual(playOf(tell('<Play url="http://a.test/x.wav"/>')).items, [
      { kind: 'url', value: 'http://a.test/x.wav' },
    ]);
    refused('<Play/>', /one source/);
  },
  'Play record': () => {
    const told = tell('<Record tag="mine"/><Play record="mine"/>');
    assert.deepEqual(playOf(told).items, [{ kind: 'recording', value: told.of('RecordRequested')[0]!.recordingId }]);
  },
  'Play loop': () => equal(playOf(tell('<Play loop="0">http://a.test/x.wav</Play>', { hangupAfterMs: 50 })).loop, 0),
  'Play leg': () => legs((leg) => `<Play leg="${leg}">http://a.test/x.wav</Play>`),
  'Play tag': () => tagged('<Play tag="mine">http://a.test/x.wav</Play>'),

  'Pause length': () => {
    equal(waitOf(tell('<Pause length="2500"/>'), 'pause'), 2500);
    equal(waitOf(tell('<Pause/>'), 'pause'), 1000);
  },
  'Pause dtmf_stop': () => {
    const told = tell('<Pause length="9000" dtmf_stop="#"/>', {
      pressAt: [
        { at: 500, digit: '1' },
        { at: 1000, digit: '#' },
      ],
    });
    equal(endOf(told, 'Pause[0]').reason, 'digit');
    equal(endOf(told, 'Pause[0]').at, told.of('DigitPressed')[1]!.at);
  },
  'Pause tag': () => tagged('<Pause tag="mine"/>'),

  'Gather numDigits': () =>
    equal(endOf(tell('<Gather numDigits="3"/>', digits('1234')), 'Gather[0]').reason, 'entered 123'),
  'Gather finishOnKey': () => {
    equal(endOf(tell('<Gather numDigits="5" finishOnKey="#"/>', digits('12#')), 'Gather[0]').reason, 'entered 12');
    equal(endOf(tell('<Gather numDigits="5"/>', digits('12*')), 'Gather[0]').reason, 'entered 12', 'the default is *');
    equal(endOf(tell('<Gather numDigits="3" finishOnKey=""/>', digits('1*2')), 'Gather[0]').reason, 'entered 1*2');
  },
  'Gather callback': () => {
    const told = tell('<Gather callback="http://a.test/?x=1" attempts="2"/>', serve(''));
    equal(told.of('DocumentRequested').length, 2, 'after each attempt');
    assert.match(
      told.of('DocumentRequested')[0]!.url,
      /\?x=1&code=?&?.*success=false&attempts=1|\?x=1&success=false&attempts=1/,
    );
    assert.match(
      askedOf(tell('<Gather callback="http://a.test/"/>', digits('7'))).url,
      /code=7&success=true&attempts=1/,
    );
  },
  'Gather method': () => {
    const told = tell('<Gather callback="http://a.test/" method="post"/>', digits('7'));
    equal(askedOf(told).method, 'POST');
    const { call, gather } = JSON.parse(askedOf(told).body) as { call: { uuid: string }; gather: unknown };
    equal(call.uuid, told.call.id);
    assert.deepEqual(gather, {
      code: '7',
      success: true,
      attempts: 1,
      history: [{ attempt: 1, code: '7' }],
    });
  },
  'Gather dtmf_length': () => {
    equal(endOf(tell('<Gather dtmf_length="2"/>', digits('987')), 'Gather[0]').reason, 'entered 98');
    equal(endOf(tell('<Gather length="2" url="http://a.test/"/>', digits('987')), 'Gather[0]').reason, 'entered 98');
    const longest = '<Gather><DTMF value="12"/><DTMF value="345"/></Gather>';
    equal(endOf(tell(longest, digits('3456')), 'Gather[0]').reason, 'entered 345');
  },
  'Gather dtmf_stop': () => {
    equal(endOf(tell('<Gather dtmf_length="5" dtmf_stop="#"/>', digits('12#')), 'Gather[0]').reason, 'entered 12');
    equal(
      endOf(tell('<Gather dtmf_length="3"/>', digits('1*#')), 'Gather[0]').reason,
      'entered 1*#',
      'none by default',
    );
    refused('<Gather dtmf_stop="#" numDigits="2"/>', /mixes numDigits and dtmf_stop/);
  },
  'Gather url': () => {
    const told = tell('<Gather dtmf_length="2" url="http://a.test/?x=1"><DTMF value="11"/></Gather>', digits('22'));
    const { searchParams } = new URL(askedOf(told).url);
    assert.deepEqual(
      ['x', 'dtmf', 'from', 'tn', 'state', 'sca', 'call'].map((name) => searchParams.get(name)),
      ['1', '22', '12125550199', '18005550100', 'live', 'simulated', told.call.id],
    );
    const own = tell('<Gather dtmf_length="2" url="http://a.test/"><DTMF value="11"/></Gather>', digits('11'));
    equal(own.of('DocumentRequested').length, 0);
  },
  'Gather timeout': () => {
    equal(waitOf(tell('<Gather timeout="4000"/>'), 'gather'), 4000);
    equal(waitOf(tell('<Gather/>'), 'gather'), 30_000);
  },
  'Gather attempts': () =>
    equal(
      tell('<Gather attempts="3"/>')
        .of('TimerSet')
        .filter((e) => e.purpose === 'gather').length,
      3,
    ),
  'Gather sensitive': () => refused('<Gather sensitive="true"/>', /not supported yet/),
  'Gather tag': () => tagged('<Gather tag="mine"/>'),
  'Case dtmf': () => equal(ran(branches('Case dtmf="12"'), digits('12')), 'taken'),
  'DTMF value': () => equal(ran(branches('DTMF value="12"'), digits('12')), 'taken'),

  'Record asr': () => {
    const told = tell('<Record asr="true" tag="mine"/>');
    equal(told.of('RecordRequested')[0]!.asr, true);
    const [asked] = told.of('TranscriptRequested');
    equal(asked!.recordingId, told.of('RecordRequested')[0]!.recordingId);
    equal(asked!.tag, 'mine');
    equal(told.of('TranscriptReady')[0]!.requestId, asked!.seq);
    equal(tell('<Record/>').of('TranscriptRequested').length, 0);
  },
  'Record timeout': () => {
    const longest = (verbs: string) => tell(verbs).of('RecordRequested')[0]!.maxMs;
    assert.deepEqual([longest('<Record timeout="45000"/>'), longest('<Record/>')], [45_000, 60_000]);
    equal(longest('<Record><Pause/></Record>'), 4 * 3_600_000);
  },
  'Record tag': () => {
    tagged('<Record tag="mine"/>');
    equal(tell('<Record tag="mine"/>').of('RecordRequested')[0]!.tag, 'mine');
  },
  'RecordStart asr': () => {
    const told = tell('<RecordStart asr="true"/><Pause/><RecordStop/><RecordWait/>');
    equal(told.of('TranscriptRequested').length, 1);
  },
  'RecordStart tag': () => {
    const told = tell('<RecordStart tag="mine"/><Pause/>');
    const [recording] = told.of('RecordRequested');
    assert.deepEqual([recording!.tag, recording!.both], ['mine', true]);
    assert.ok(told.of('VerbEnded').at(-1)!.seq > recording!.seq, 'the flow goes on meanwhile');
    tagged('<RecordStart tag="mine"/>');
  },
  'RecordStop tag': () => {
    const stops = (verbs: string) => {
      const told = tell(`<RecordStart tag="a"/><RecordStart tag="b"/>${verbs}<Pause/>`);
      const tags = new Map(told.of('RecordRequested').map((e) => [e.seq, e.tag]));
      return told.of('RecordStopRequested').map((e) => tags.get(e.record));
    };
    assert.deepEqual(stops('<RecordStop tag="b"/>'), ['b']);
    assert.deepEqual(stops('<RecordStop/>'), ['a', 'b']);
    equal(endOf(tell('<RecordStop/>'), 'RecordStop[0]').reason, 'not-recording');
    const next = { server: () => ({ status: 200, body: '<Response><Pause/></Response>' }) };
    const redirected = tell('<RecordStart/><Redirect>http://a.test/</Redirect>', next);
    equal(redirected.of('RecordStopRequested').length, 0, 'it goes on behind the next document');
  },
  'RecordWait timeout': () => {
    equal(waitOf(tell('<RecordStart/><RecordStop/><RecordWait timeout="900"/>'), 'record-wait'), 900);
    equal(waitOf(tell('<RecordStart/><RecordStop/><RecordWait/>'), 'record-wait'), 30_000);
  },
  'RecordWait tag': () => {
    const told = tell(
      '<RecordStart tag="a"/><RecordStart tag="b"/><RecordStop tag="a"/><RecordWait tag="a"/><Play record="a"/>',
    );
    equal(endOf(told, 'RecordWait[0]').reason, 'ready');
    assert.ok(endOf(told, 'RecordWait[0]').seq > told.of('RecordFinished')[0]!.seq);
    equal(endOf(tell('<RecordStart tag="b"/><RecordWait tag="b"/>'), 'RecordWait[0]').reason, 'still-recording');
  },

  'Dial timeout': () => {
    const rings = (timeout: string) => waitOf(tell(`<Dial${timeout}>1001@b.test</Dial>`), 'dial');
    assert.deepEqual([rings(' timeout="20"'), rings(' timeout="20000"'), rings('')], [20_000, 20_000, 30_000]);
  },
  'Dial from': () =>
    equal(tell('<Dial from="13125550100">1001@b.test</Dial>').of('DialRequested')[0]!.fromUser, '13125550100'),
  'Dial record': () => {
    const recorded = (record: string) =>
      tell(`<Dial record="${record}">1001@b.test</Dial>`).of('BridgeRequested')[0]!.recordingId;
    assert.match(recorded('record-from-answer'), /^[0-9a-f-]{36}$/);
    equal(recorded('do-not-record'), '');
  },
  'Dial hangup_on_bye': () => {
    equal(tell('<Dial hangup_on_bye="true">1001@b.test</Dial><Say>on</Say>').ended, 'callee callee-hung-up');
    equal(tell('<Dial>1001@b.test</Dial><Say>on</Say>').ended, 'document document-end');
  },
  'Dial tag': () => tagged('<Dial tag="mine">1001@b.test</Dial>'),

  'Callback url': () =>
    equal(new URL(askedOf(tell('<Callback url="http://a.test/p?x=1"/>')).url).origin, 'http://a.test'),
  'Callback method': () => {
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE'])
      equal(askedOf(tell(`<Callback method="${method.toLowerCase()}" url="http://a.test/"/>`)).method, method);
    equal(askedOf(tell('<callback>http://a.test/</callback>')).method, 'GET');
  },
  'Callback body': () => {
    const body = (value: string) =>
      askedOf(tell(`<Callback method="POST" body="${value}" url="http://a.test/"/>`)).body;
    equal((JSON.parse(body('true')) as { to: string }).to, '18005550100');
    equal(body('false'), '');
  },
  'Callback timeout': () => equal(askedOf(tell('<Callback timeout="750" url="http://a.test/"/>')).timeoutMs, 750),
  'Callback tag': () => {
    tagged('<Callback tag="mine" url="http://a.test/"/>');
    equal(fieldOf(tell('<Callback tag="mine" url="http://a.test/"/>'), 'tag'), 'mine');
  },

  'Redirect url': () => equal(askedOf(tell('<Redirect url="http://a.test/next"/>')).purpose, 'redirect'),
  'Redirect method': () => equal(askedOf(tell('<Redirect method="post">http://a.test/</Redirect>')).method, 'POST'),
  'Redirect tag': () => tagged('<Redirect tag="mine">http://a.test/</Redirect>'),

  'Reject reason': () => {
    const status = (reason: string) =>
      tell(`<Reject${reason}/>`, { autoAnswer: false }).of('HangupRequested')[0]!.status;
    assert.deepEqual([status(' reason="busy"'), status('')], [486, 603]);
  },
  'Reject tag': () => tagged('<Reject tag="mine"/>'),
  'Hangup tag': () => tagged('<Hangup tag="mine"/>'),

  'Tone hz': () => {
    assert.deepEqual(tone('').hz, [440, 480]);
    assert.deepEqual([tone('hz="350, 440"').hz, tone('hz="480,620x3"').cycles], [[350, 440], 3]);
    refused('<Tone hz="12"/>', /20 to 3999/);
    refused('<Tone hz="9000"/>', /20 to 3999/);
  },
  'Tone don': () => assert.deepEqual([tone('don="350"').onMs, tone('').onMs], [350, 2000]),
  'Tone doff': () => assert.deepEqual([tone('doff="0"').offMs, tone('').offMs], [0, 4000]),
  'Tone volume': () =>
    assert.deepEqual([tone('volume="-20"').volumeDb, tone('v="-70"').volumeDb, tone('').volumeDb], [-20, -70, -13]),
  'Tone loop': () => equal(playOf(tell('<Tone loop="4"/>')).loop, 4),
  'Tone timeout': () => {
    const told = tell('<Tone loop="0" timeout="2500"/><Say>on</Say>');
    equal(waitOf(told, 'tone'), 2500);
    equal(told.of('PlayStopRequested').length, 1);
    equal(endOf(told, 'Tone[0]').reason, 'timeout');
    assert.deepEqual(told.words.at(-1), 'on');
    equal(waitOf(tell('<Tone loop="0"/>'), 'tone'), 30_000);
  },
  'Tone leg': () => legs((leg) => `<Tone leg="${leg}"/>`),
  'Tone tag': () => tagged('<Tone tag="mine"/>'),

  'Hold timeout': () => {
    equal(waitOf(tell('<Hold/>'), 'hold'), 300_000);
    const told = tell('<Hold timeout="1500"/><Say>on</Say>');
    assert.deepEqual(told.words, ['tone hold-music', 'on']);
    equal(endOf(told, 'Hold[0]').reason, 'timeout');
    equal(told.of('PlayStopRequested').length, 1);
  },
  'Hold tag': () => tagged('<Hold tag="mine" timeout="10"/>'),
  'Unhold tag': () => {
    const order = { at: 5_000, xml: '<Response><Unhold tag="mine"/><Say>one moment</Say></Response>' };
    const told = tell('<Hold/><Say>on</Say>', { orders: [order] });
    assert.deepEqual(told.words, ['tone hold-music', 'one moment', 'on']);
    equal(endOf(told, 'Hold[0]').reason, 'unheld');
    equal(endOf(told, 'Hold[0].Response[0].Unhold[0]').tag, 'mine');
    equal(endOf(tell('<Unhold/>'), 'Unhold[0]').reason, 'not-held');
  },

  'Call field': () => {
    equal(ran('<Call field="to" value="18005550100"><Say>in</Say></Call><Say>on</Say>'), 'in on');
    equal(ran('<Call field="from" value="+12125550199"><Say>in</Say></Call><Say>on</Say>'), 'in on');
    equal(ran('<Call field="tn.tn" value="18005550100"><Say>in</Say></Call><Say>on</Say>'), 'in on');
    equal(ran('<Call field="sip_control_app.auto_answer" value="true"><Say>in</Say></Call>'), 'in');
    equal(ran('<Meta name="vip" value="true"/><Call field="meta.vip" value="true"><Say>in</Say></Call>'), 'in');
    equal(ran('<Call field="nothing" value="null"><Say>in</Say></Call>'), 'in');
    equal(ran('<Call field="constructor" value="x"><Say>in</Say></Call><Say>on</Say>'), 'on');
  },
  'Call value': () => {
    const told = tell('<Call field="to" value="1"><Say>in</Say></Call><Say>on</Say>');
    equal(endOf(told, 'Call[0]').reason, 'not-matched');
    assert.deepEqual(told.words, ['on']);
    equal(tell('<Call field="to" value="18005550100"><Say>in</Say></Call>').verbs[1], 'Call[0].Say[0] finished');
  },
  'Geo states': () => {
    const from = (state: string) => ({ location: { state, county: 'KINGS' } });
    equal(ran('<Geo states="NY, nj"><Say>in</Say></Geo><Say>on</Say>', from('NJ')), 'in on');
    equal(ran('<Geo states="NY,NJ"><Say>in</Say></Geo><Say>on</Say>', from('TX')), 'on');
    equal(ran('<Geo states="NY"><Say>in</Say></Geo><Say>on</Say>'), 'on', 'an unknown place matches nothing');
    equal(ran('<Geo><Say>in</Say></Geo>'), 'in', 'without attributes it runs');
    const twice = tell('<Geo states="NY"/><Geo states="NJ"><Say>in</Say></Geo>', from('NJ'));
    equal(twice.of('LocationRequested').length, 1, 'asked once a call');
    equal(twice.of('LocationRequested')[0]!.number, '12125550199');
    equal(tell('<Geo states="NY"/>', { from: 'anonymous' }).of('LocationRequested').length, 0);
  },
  'Geo county': () => {
    const at = (county: string) => ({ location: { state: 'NY', county } });
    equal(ran('<Geo county="Kings"><Say>in</Say></Geo>', at('KINGS')), 'in');
    equal(ran('<Geo states="NY" county="KINGS"><Say>in</Say></Geo><Say>on</Say>', at('QUEENS')), 'on', 'both must fit');
  },
  'Schedule dow': () => {
    const on = (dow: string) =>
      ran(`<Schedule dow="${dow}"><Say>in</Say></Schedule><Say>on</Say>`, { at: SUNDAY_NOON });
    assert.deepEqual([on('sat,sun'), on('mon,tue')], ['in on', 'on']);
    refused('<Schedule dow="sunday"/>', /"sunday"/);
  },
  'Schedule time': () => {
    const at = (time: string, hour: number, second = 0) =>
      ran(`<Schedule time="${time}"><Say>in</Say></Schedule><Say>on</Say>`, {
        at: Date.UTC(2026, 10, 22, hour, 0, second),
      });
    assert.deepEqual([at('07:00:00-18:00:00', 7), at('07:00:00-18:00:00', 18)], ['in on', 'in on'], 'both ends');
    equal(at('07:00:00-18:00:00', 18, 1), 'on');
    assert.deepEqual(
      [at('22:00:00-06:00:00', 23), at('22:00:00-06:00:00', 5), at('22:00:00-06:00:00', 12)],
      ['in on', 'in on', 'on'],
    );
    const night = (hour: number) =>
      ran('<Schedule dow="sat" time="22:00:00-06:00:00"><Say>in</Say></Schedule>', {
        at: Date.UTC(2026, 10, 22, hour),
      });
    assert.deepEqual([night(5), night(23)], ['in', ''], 'after midnight it is still the night of its first day');
    refused('<Schedule time="7-18"/>', /07:00:00-18:59:59/);
  },
  'Schedule tz': () => {
    const evening = '<Schedule time="20:00:00-20:59:59" tz="Asia/Tokyo"><Say>in</Say></Schedule>';
    equal(ran(evening, { at: SUNDAY_NOON - 3_600_000 }), 'in');
    const account = '<Schedule time="07:00:00-07:59:59"><Say>in</Say></Schedule>';
    equal(ran(account, { at: SUNDAY_NOON, timeZone: 'America/New_York' }), 'in', 'the account’s zone, winter time');
    equal(ran(account, { at: SUNDAY_NOON }), '');
    refused('<Schedule tz="Mars/Olympus"/>', /no time zone/);
  },
  'Meta name': () => {
    const told = tell('<Tone><Meta name="order" value="7"/></Tone><Callback url="http://a.test/"/>');
    assert.deepEqual(told.of('MetaSet')[0]!.variables, [{ name: 'order', json: '7' }]);
    equal(fieldOf(told, 'order'), '7');
    equal(fieldOf(tell('<Meta name="call" value="x"/><Callback url="http://a.test/"/>'), 'call')?.length, 36);
    const within = '<Callback url="http://a.test/"><Meta name="a" value="b"/></Callback>';
    equal(fieldOf(tell(within), 'a'), 'b', 'its own Meta is known when it asks');
    refused('<Meta name="1st" value="x"/>', /name of letters/);
  },
  'Meta value': () => {
    const typed = (value: string) => tell(`<Meta name="a" value="${value}"/>`).of('MetaSet')[0]!.variables[0]!.json;
    assert.deepEqual(['true', '42', '-1.5', '007', 'null', 'a b'].map(typed), [
      'true',
      '42',
      '-1.5',
      '"007"',
      'null',
      '"a b"',
    ]);
    equal(tell('<Meta name="a">two\nlines</Meta>').of('MetaSet')[0]!.variables[0]!.json, '"two\\nlines"');
  },
  'Curl url': () => {
    const told = tell('<Curl url="http://a.test/?x=1"/><Say>on</Say>', serve('<Response><Hangup/></Response>'));
    equal(askedOf(told).purpose, 'curl');
    assert.deepEqual(told.words, ['on'], 'its answer is never run');
  },
  'Curl method': () => {
    const put = tell('<Curl url="http://a.test/" method="put"><Meta name="n" value="5"/></Curl>');
    assert.deepEqual([askedOf(put).method, askedOf(put).body], ['PUT', '{"n":5}']);
    equal(fieldOf(tell('<Curl url="http://a.test/"><Meta name="n" value="5"/></Curl>'), 'n'), '5');
    refused('<Curl url="http://a.test/">text</Curl>', /use POST/);
  },
  'Curl timeout': () => equal(askedOf(tell('<Curl url="http://a.test/" timeout="900"/>')).timeoutMs, 900),
  'Curl body': () => {
    const call = askedOf(tell('<Curl url="http://a.test/" method="POST" body="true"/>')).body;
    equal((JSON.parse(call) as { to: string }).to, '18005550100');
    equal(askedOf(tell('<Curl url="http://a.test/" method="POST">as it stands</Curl>')).body, 'as it stands');
  },
  'Curl tag': () => {
    const json = '{"vip":true,"level":3,"name":"Ann","list":[1],"none":null}';
    const told = tell(
      '<Curl url="http://a.test/" tag="crm"/><Call field="meta.crm.vip" value="true"><Say>in</Say></Call>',
      serve(json),
    );
    assert.deepEqual(
      told.of('MetaSet')[0]!.variables.map((v) => `${v.name} ${v.json}`),
      ['crm.vip true', 'crm.level 3', 'crm.name "Ann"', 'crm.none null'],
    );
    assert.deepEqual(told.words, ['in']);
  },
  'Header name': () => {
    const told = tell('<Curl url="http://a.test/"><Header name="X-Key" value="v"/></Curl>');
    assert.deepEqual(askedOf(told).headers, [{ name: 'X-Key', value: 'v' }]);
    refused('<Curl url="http://a.test/"><Header name="Host" value="b"/></Curl>', /set by the platform/);
    refused('<Curl url="http://a.test/"><Header name="a:b" value="b"/></Curl>', /name of a header/);
  },
  'Header value': () => {
    equal(askedOf(tell('<Curl url="http://a.test/"><Header name="A">v w</Header></Curl>')).headers[0]!.value, 'v w');
    refused('<Curl url="http://a.test/"><Header name="A" value="x&#13;&#10;Evil: 1"/></Curl>', /printable/);
  },
};

function speech(verbs: string) {
  const [item] = playOf(tell(verbs)).items;
  if (item?.kind !== 'say') throw new Error('nothing is said');
  return item.value;
}

function tone(attributes: string) {
  const [item] = playOf(tell(`<Tone ${attributes}/>`)).items;
  if (item?.kind !== 'pattern') throw new Error('no tone');
  return item.value;
}

const digits = (code: string): Partial<Scenario> => ({
  pressAt: [...code].map((digit, i) => ({ at: 200 + 200 * i, digit })),
});
const branches = (element: string) => {
  const name = element.split(' ')[0];
  const length = name === 'Case' ? ' numDigits="2"' : '';
  return `<Gather${length}><${element}><Say>taken</Say></${name}></Gather>`;
};

/** While the caller is connected, an order plays to whom it names; the other party stays. */
function legs(verb: (leg: string) => string): void {
  const heard = (leg: string, connected: boolean) => {
    const order = { at: 5_000, xml: `<Response>${verb(leg)}</Response>` };
    const told = tell(connected ? '<Dial>1001@b.test</Dial>' : '<Pause length="60000"/>', {
      orders: [order],
      calleeStaysMs: 60_000,
    });
    const path = `${verb(leg).slice(1, 5)}[0]`;
    return `${told.of('PlayRequested').flatMap((e) => (e.items[0]!.kind === 'tone' ? [] : [e.leg]))} ${endOf(told, path).reason}`;
  };
  assert.deepEqual(
    [heard('aleg', true), heard('bleg', true), heard('both', true)],
    ['0 finished', '1 finished', '0,1 finished'],
  );
  assert.deepEqual([heard('both', false), heard('bleg', false)], ['0 finished', ' no-bleg']);
}

for (const row of ROWS)
  for (const attribute of row.attributes) {
    const key = `${row.name} ${attribute.name}`;
    test(`<${row.name}> ${attribute.name}: ${attribute.meaning}`, () => {
      assert.ok(SHOWN[key], `nothing shows ${key}`);
      SHOWN[key]();
    });
  }

test('every line here is of a row that exists', () => {
  const rows = ROWS.flatMap((row) => row.attributes.map((a) => `${row.name} ${a.name}`));
  assert.deepEqual(
    Object.keys(SHOWN).filter((key) => !rows.includes(key)),
    [],
  );
});

test('groups ring each member beside the targets that the document names', () => {
  const told = tell(`<Dial><Sip>1001@b.test</Sip><Group>${GROUP}</Group></Dial>`, {
    groups: { [GROUP]: ['sip:1002@b.test', 'tel:13125550100'] },
  });
  assert.deepEqual(
    told.of('DialRequested').map((e) => e.target),
    ['sip:1001@b.test', 'sip:1002@b.test', 'tel:13125550100'],
  );
  equal(endOf(tell(`<Dial><Group>${GROUP}</Group></Dial>`), 'Dial[0]').reason, 'no-group');
  refused('<Dial><Group>sales</Group></Dial>', /uuid of a group/);
});

test('a call without a document waits 30 seconds for one by API', () => {
  const never = tell('', { xml: '', autoAnswer: false });
  equal(waitOf(never, 'parked'), 30_000);
  const [told] = never.of('HangupRequested');
  assert.deepEqual([never.ended, told!.status, told!.q850], ['customer-server no-document', 480, 41]);
  equal(never.of('LegRang').length, 1, 'the caller hears it ring');
  const order = { at: 12_000, xml: '<Response><Answer/><Say>welcome</Say></Response>' };
  const served = tell('', { xml: '', autoAnswer: false, orders: [order] });
  assert.deepEqual([served.words, served.ended], [['welcome'], 'document document-end']);
  equal(served.of('TimerCancelled').length, 1);
});
