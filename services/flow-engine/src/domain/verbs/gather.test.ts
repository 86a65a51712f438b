/** Gather in both dialects: contracts.md, language 2 to 5. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../../simulate/tell.ts';
import { parseDocument } from '../../xml/document.ts';

const MENU = (attributes = '', extra = '') =>
  `<Gather numDigits="1" timeout="5000" ${attributes}><Say>please choose</Say><Switch><Case dtmf="1"><Say>one</Say></Case><Case dtmf="2"><Say>two</Say></Case>${extra}</Switch></Gather><Say>after</Say>`;
const DEFAULT = '<Default><Say>default</Say></Default>';
const ERROR = '<Error><Say>error</Say></Error>';
const reason = (verbs: string) => {
  const parsed = parseDocument(`<Response>${verbs}</Response>`);
  return parsed.ok ? '' : parsed.reason;
};

test('a key silences the prompt and takes its branch, then the flow continues after Gather', () => {
  const told = tell(MENU(), { press: ['2'] });
  assert.deepEqual(told.words, ['please choose', 'two', 'after']);
  assert.equal(told.of('PlayStopRequested').length, 1);
  assert.equal(told.verbs[2], 'Gather[0].Case[1].Say[0] finished', 'Switch leaves no trace in the path');
});

test('an unmatched code takes Default at once, silence takes Error', () => {
  assert.deepEqual(tell(MENU('attempts="2"', DEFAULT + ERROR), { press: ['7'] }).words, [
    'please choose',
    'default',
    'after',
  ]);
  assert.deepEqual(tell(MENU('', DEFAULT + ERROR)).words, ['please choose', 'error', 'after']);
});

test('one of Default and Error alone serves both; neither: the flow goes on', () => {
  assert.deepEqual(tell(MENU('', DEFAULT)).words, ['please choose', 'default', 'after']);
  assert.deepEqual(tell(MENU('', ERROR), { press: ['7'] }).words, ['please choose', 'error', 'after']);
  assert.deepEqual(tell(MENU()).words, ['please choose', 'after']);
  assert.deepEqual(tell(MENU(), { press: ['7'] }).words, ['please choose', 'after']);
});

test('prompts repeat per attempt, and attempts count silence only', () => {
  assert.deepEqual(tell(MENU('attempts="3"', ERROR)).words, [
    'please choose',
    'please choose',
    'please choose',
    'error',
    'after',
  ]);
});

test('the time of an attempt starts when its prompt ended', () => {
  const told = tell(MENU());
  const prompt = told.of('PlayFinished')[0]!;
  assert.equal(told.of('TimerSet').at(-1)!.dueAt, prompt.at + 5000);
});

test('keys don’t restart the time, and those present at the time-out are the code', () => {
  const told = tell(
    '<Gather numDigits="3" timeout="5000"><Switch><Case dtmf="1"><Say>one</Say></Case></Switch></Gather>',
    { press: ['1'] },
  );
  assert.deepEqual(told.words, ['one']);
  assert.equal(told.of('TimerSet').filter((e) => e.purpose === 'gather').length, 1);
  assert.equal(told.verbs[0], 'Gather[0] entered 1');
});

test('finishOnKey ends the input, is * where it is absent in dialect A, and alone is silence', () => {
  const long = (attributes = '') =>
    `<Gather numDigits="4" timeout="5000" ${attributes}><Say>code</Say><Switch><Case dtmf="12"><Say>right</Say></Case><Case dtmf="12*4"><Say>star</Say></Case>${ERROR}</Switch></Gather>`;
  const press = (keys: string, attributes = '') => {
    // The scenario presses one key per prompt; a run of keys needs prompts between: use Gather's own digits instead.
    const told = tell(long(attributes), { press: [...keys].slice(0, 1) });
    return told.words;
  };
  assert.deepEqual(press('*'), ['code', 'error'], 'the finish key alone is silence');
  assert.deepEqual(press('#', 'finishOnKey="#"'), ['code', 'error']);
  assert.equal(reason('<Gather finishOnKey="x"/>').includes('must be keys'), true);
});

test('a digit during prompts directly before a Gather is its first digit; the rest of the run is skipped', () => {
  const told = tell(
    '<Say>welcome</Say><Pause length="500"/><Say>choose</Say><Gather dtmf_length="1"><DTMF value="1"><Say>one</Say></DTMF></Gather>',
    {},
  );
  assert.deepEqual(told.words, ['welcome', 'choose']);
  const pressed = tell(
    '<Say>welcome</Say><Say>choose</Say><Gather dtmf_length="1" timeout="2000"><DTMF value="1"><Say>one</Say></DTMF></Gather>',
    { pressAt: [{ at: 300, digit: '1' }] },
  );
  assert.deepEqual(pressed.words, ['welcome', 'one']);
  assert.equal(pressed.of('VerbEnded')[0]!.skip, 1);
});

test('anywhere else a digit is an event only', () => {
  const told = tell('<Say>welcome</Say><Say>bye</Say>', { pressAt: [{ at: 300, digit: '1' }] });
  assert.deepEqual(told.words, ['welcome', 'bye']);
  assert.equal(told.of('DigitPressed').length, 1);
});

test('dialect B collects as many digits as its longest DTMF value, without a finish key', () => {
  const parsed = parseDocument('<Response><Gather><DTMF value="12"><Say>x</Say></DTMF></Gather></Response>');
  const gather = parsed.ok ? parsed.document.verbs[0] : undefined;
  assert.ok(gather?.name === 'Gather' && gather.digitsMax === 2 && gather.finishKeys === '');
});

test('mixing the attributes of both dialects is refused, and what can’t be reached is warned of', () => {
  assert.match(reason('<Gather numDigits="1" dtmf_stop="#"/>'), /one dialect/);
  const twice = parseDocument(
    '<Response><Gather><Switch><Case dtmf="1"><Say>a</Say></Case><Case dtmf="1"><Say>b</Say></Case></Switch></Gather></Response>',
  );
  assert.match(twice.ok ? twice.warnings[0]!.reason : '', /never reached/);
});

test('the remote handler of dialect B is asked with the digits and the call, and its document runs', () => {
  let asked = '';
  const told = tell(
    '<Say>code</Say><Gather url="http://a.test/h?x=1" dtmf_length="1"><Error><Say>failed</Say></Error></Gather><Say>after</Say>',
    {
      pressAt: [{ at: 200, digit: '5' }],
      server: ({ url }) => {
        asked = url;
        return { status: 200, body: '<Response><Say>remote</Say></Response>' };
      },
    },
  );
  assert.deepEqual(told.words, ['code', 'remote', 'after']);
  const query = new URL(asked).searchParams;
  assert.deepEqual([...query.keys()], ['x', 'dtmf', 'from', 'tn', 'state', 'sca', 'call']);
  assert.equal(query.get('dtmf'), '5');
});

test('a remote handler that fails takes Error', () => {
  const told = tell(
    '<Say>code</Say><Gather url="http://a.test/h" dtmf_length="1"><Error><Say>failed</Say></Error></Gather>',
    {
      pressAt: [{ at: 200, digit: '5' }],
      server: () => ({ status: 500, body: '' }),
    },
  );
  assert.deepEqual(told.words, ['code', 'failed']);
});

test('the callback of dialect A is asked after each attempt, silence included', () => {
  const asked: string[] = [];
  const told = tell(
    '<Gather numDigits="1" attempts="2" timeout="3000" callback="http://a.test/h"><Say>code</Say></Gather><Say>after</Say>',
    {
      server: ({ url }) => {
        asked.push(new URL(url).search);
        return { status: 200, body: '' };
      },
    },
  );
  assert.deepEqual(asked, ['?success=false&attempts=1', '?success=false&attempts=2']);
  assert.deepEqual(told.words, ['code', 'code', 'after']);
});

test('keys that must stay secret are refused until they can be kept so', () => {
  assert.match(reason('<Gather sensitive="true"/>'), /not supported yet/);
});

test('a key that would end a Pause is the first digit of the Gather behind it', () => {
  const told = tell(
    '<Say>welcome</Say><Pause length="3000" dtmf_stop="1"/><Say>choose</Say><Gather dtmf_length="1" timeout="2000"><DTMF value="1"><Say>one</Say></DTMF></Gather>',
    { pressAt: [{ at: 1_500, digit: '1' }] },
  );
  assert.deepEqual(told.words, ['welcome', 'one']);
});

test('prompts that repeat to more than a story should hold are refused', () => {
  const long = 'x'.repeat(3_000);
  assert.match(reason(`<Gather><Say loop="100">${long}</Say><Say>b</Say></Gather>`), /repeat to more/);
  assert.match(reason('<Gather><Say loop="0">a</Say><Say>b</Say></Gather>'), /only prompt/);
  const [play] = tell(`<Gather><Say loop="100">${long}</Say></Gather>`, { hangupAfterMs: 1_000 }).of('PlayRequested');
  assert.deepEqual([play!.items.length, play!.loop], [1, 100]);
});
