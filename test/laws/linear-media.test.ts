/** What phones and customers' servers send to media and the notifier: read in time by its length, whatever it holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withQuery } from '../../services/flow-engine/src/domain/document-request.ts';
import { mp3Start } from '../../services/media/src/audio/mp3.ts';
import { readWav } from '../../services/media/src/audio/wav-read.ts';
import { PCMU } from '../../services/media/src/codec/g711/g711.ts';
import { isRtcp } from '../../services/media/src/rtp/rtcp.ts';
import { composeAnswer, composeOffer } from '../../services/media/src/sdp/compose.ts';
import { negotiate } from '../../services/media/src/sdp/negotiate.ts';
import { parseAddress } from '../../services/notifier/src/door/address.ts';
import { customHeaders } from '../../services/notifier/src/headers.ts';
import { codingsOf, textOf } from '../../services/notifier/src/text.ts';
import { growsFaster, type Shape } from './linear.ts';

const repeated = (...parts: string[]): Shape[] =>
  parts.map((part) => ({ name: JSON.stringify(part), make: (n) => part.repeat(Math.floor(n / part.length)) }));

/** Whatever it says of it. */
const quietly = (work: (text: string) => unknown) => (text: string) => {
  try {
    return work(text);
  } catch {
    return undefined;
  }
};

test('a description is read, answered and offered again', () => {
  const ours = { id: 1, version: 1, address: '127.0.0.1', port: 4000 };
  const phone = 'v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n';
  // 16 KiB at most: as often as it takes to be timed.
  const work = (more: string) => {
    for (let times = 0; times < 40; times++) {
      const accepted = negotiate(phone + more);
      if (accepted.ok) composeOffer(ours, PCMU, composeAnswer(ours, accepted));
    }
  };
  const shapes = repeated(
    ...[
      'a=rtpmap:0 a/',
      'a=rtpmap:0 PCMU/8000\r\n',
      ' ',
      '\t9',
      '/',
      'a=ptime:1',
      '\r\n',
      '\n\r',
      't=1 1 \n',
      't=1 ',
      '9',
    ],
    ...['m=audio 4000 RTP/AVP 0\n', 'm=audio 4000 RTP/AVP 0 ', 'c=IN IP4 ', 'a=fmtp:0 ', 'a=', ':', 'v=0'],
  );
  for (const start of ['', 'a=rtpmap:0 ', 'a=', 'm=audio ', 'c=IN IP4 ', 't=']) {
    const begun = shapes.map(({ name, make }) => ({ name: start + name, make: (n: number) => start + make(n) }));
    assert.deepEqual(growsFaster(begun, 16_000, work), []);
  }
});

test('addresses, headers and bodies of customers’ servers', () => {
  const shapes = repeated(
    'a',
    '/',
    '?',
    '#',
    '%',
    '%zz',
    '@',
    ':',
    '\\',
    ' ',
    '\t',
    'é',
    '..',
    '=',
    '&',
    ';',
    ',',
    '"',
    "'",
  );
  const started = (start: string) => shapes.map(({ name, make }) => ({ name, make: (n: number) => start + make(n) }));
  const base = parseAddress('http://h.test/');
  for (const start of ['', 'http://', 'http://h/', 'http://h?', '//', '?'])
    assert.deepEqual(
      growsFaster(
        started(start),
        200_000,
        quietly((text) => parseAddress(text, base)),
      ),
      [],
    );
  for (const start of ['http://h/', 'http://h/?'])
    assert.deepEqual(
      growsFaster(started(start), 400_000, (text) => withQuery(text, { a: 'b' })),
      [],
    );
  for (const start of ['', 'text/xml;', 'text/xml; charset=', 'text/xml; charset="'])
    assert.deepEqual(
      growsFaster(
        started(start),
        400_000,
        quietly((type) => textOf(Buffer.from('x'), type, 200)),
      ),
      [],
    );
  for (const start of ['', '<?xml ', '<?xml encoding', '<?xml encoding="'])
    assert.deepEqual(
      growsFaster(
        started(start),
        400_000,
        quietly((text) => textOf(Buffer.from(text), '', 200)),
      ),
      [],
    );
  assert.deepEqual(
    growsFaster(
      started('gzip'),
      400_000,
      quietly((text) => codingsOf(text, 200)),
    ),
    [],
  );
  const header = (text: string) => customHeaders([{ name: text, value: text }]);
  for (const start of ['', 'proxy-', 'x-opentact-']) assert.deepEqual(growsFaster(started(start), 400_000, header), []);
});

test('audio files and reports', () => {
  const shapes = repeated(
    '\xff',
    '\xff\xfb',
    '\xff\xfb\x90\xc4',
    'ID3\x03\0\0\0\0\0\0',
    '\0',
    'data\0\0\0\0',
    'fmt \0\0\0\0',
    'LIST\x01\0\0\0',
  );
  const bytes = (work: (bytes: Buffer) => unknown) => quietly((text) => work(Buffer.from(text, 'latin1')));
  assert.deepEqual(growsFaster(shapes, 1_000_000, bytes(mp3Start)), []);
  const wav = (text: string) => readWav(Buffer.from(`RIFF....WAVE${text}`, 'latin1'));
  assert.deepEqual(growsFaster(shapes, 1_000_000, quietly(wav)), []);
  assert.deepEqual(growsFaster(repeated('\x80\xc8\0\x01', '\x80\xc8\0\0', '\x80\xc8'), 1_000_000, bytes(isRtcp)), []);
});
