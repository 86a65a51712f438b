/** What strangers send to the edge: read in time by its length, whatever stands in its lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { q850Of } from '../../services/sip-edge/src/edge/causes.ts';
import { withoutCredentials } from '../../services/sip-edge/src/edge/trace.ts';
import type { SipRequest } from '../../services/sip-edge/src/stack/message/message.ts';
import { parseMessage } from '../../services/sip-edge/src/stack/message/parse.ts';
import { isCallerIdRestricted } from '../../services/sip-edge/src/uas/caller-id.ts';
import { growsFaster, type Shape } from './linear.ts';

const repeated = (...parts: string[]): Shape[] =>
  parts.map((part) => ({ name: JSON.stringify(part), make: (n) => part.repeat(Math.floor(n / part.length)) }));

/** Four lines of 8 KB are what a message has room for: as often as it takes to be timed. */
const CHARS = 8_000;
const TIMES = 20;

const fixed = {
  via: 'SIP/2.0/UDP h;branch=z9hG4bKa',
  from: '<sip:a@h>;tag=1',
  to: '<sip:b@h>',
  'call-id': 'c',
  cseq: '1 BYE',
};

function message(lines: Record<string, string>): Buffer {
  const head = Object.entries({ ...fixed, ...lines }).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`BYE sip:b@h SIP/2.0\r\n${head.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, 'latin1');
}

function often(work: (text: string) => unknown): (text: string) => void {
  return (text) => {
    for (let times = 0; times < TIMES; times++) work(text);
  };
}

test('the reasons of a BYE or CANCEL', () => {
  const { headers } = parseMessage(message({})) as SipRequest;
  const reasons = (lines: string[]) => ({ headers: { ...headers, lines: () => lines } }) as never;
  const work = often((text) => q850Of(reasons([text, text, text, text])));
  const shapes = repeated('Q.850;', 'Q.850 ', 'Q.850;;cause', ';cause=', 'Q.850;cause=999;', ', ', 'cause = ', '" ');
  assert.deepEqual(growsFaster(shapes, CHARS, work), []);
  assert.equal(q850Of(reasons(['SIP;cause=200;text="x", q.850 ; text="y" ; cause = 17'])), 17);
  assert.equal(q850Of(reasons(['Q.850;cause=0', 'Q.850;cause=128', 'Q.850;cause=x', 'Q.850', 'Q.850;cause=31'])), 31);
});

for (const name of ['via', 'from', 'to', 'call-id', 'cseq', 'contact', 'record-route', 'authorization', 'privacy']) {
  test(`a message whose ${name} is made to be gone back over`, () => {
    const work = often((text) => {
      const bytes = message({ [name]: text });
      const parsed = parseMessage(bytes);
      withoutCredentials(bytes);
      if (parsed.kind === 'request') isCallerIdRestricted(parsed);
    });
    const shapes = repeated(
      ...[
        'a',
        ' ',
        ';',
        ',',
        '<',
        '"',
        '\\"',
        '"a" ',
        ';a=',
        ';a="',
        '<sip:a@h>,',
        '<sip:a@h;b>;',
        'SIP/2.0/UDP ',
        '%41',
      ],
      ...['[', '::', '@', '(', ')', 'sip:', 'authorization:', ': ', 'z9hG4bK', ';tag=', '\r\n ', '1 '],
    );
    assert.deepEqual(growsFaster(shapes, CHARS, work), []);
  });
}
