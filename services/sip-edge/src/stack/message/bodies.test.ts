import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestOf } from '../testing/harness.ts';
import { descriptionOf } from './bodies.ts';

const SDP = 'v=0\r\nm=audio 1 RTP/AVP 0\r\n';
const part = (type: string, text: string, ...lines: string[]) =>
  `--b1\r\n${[`Content-Type: ${type}`, ...lines].join('\r\n')}\r\n\r\n${text}\r\n`;
const mixed = (...parts: string[]) => `${parts.join('')}--b1--\r\n`;

function described(type: string, body: string, ...lines: string[]) {
  return descriptionOf(requestOf('INVITE', { lines: [`Content-Type: ${type}`, ...lines], body }));
}

for (const [what, type, body, lines, sdp, refused] of [
  ['an SDP', 'application/sdp', SDP, [], SDP, false],
  ['a picture', 'image/png', 'x', [], '', true],
  ['an optional picture', 'image/png', 'x', ['Content-Disposition: icon;handling=optional'], '', false],
  [
    'an SDP among others',
    'multipart/mixed;boundary=b1',
    mixed(part('a/b', 'x'), part('application/sdp', SDP)),
    [],
    SDP,
    false,
  ],
  [
    'ISUP that demands handling',
    'multipart/mixed; boundary="b1"',
    mixed(
      part('application/sdp', SDP),
      part('application/isup', '\x01', 'Content-Disposition: signal;handling=required'),
    ),
    [],
    SDP,
    false,
  ],
  [
    'no SDP, all optional',
    'multipart/mixed;boundary=b1',
    mixed(part('a/b', 'x', 'Content-Disposition: x;handling=optional')),
    [],
    '',
    false,
  ],
  ['no SDP', 'multipart/mixed;boundary=b1', mixed(part('a/b', 'x')), [], '', true],
  ['no boundary', 'multipart/mixed', mixed(part('application/sdp', SDP)), [], '', true],
  [
    'base64',
    'multipart/mixed;boundary=b1',
    mixed(part('application/sdp', Buffer.from(SDP).toString('base64'), 'Content-Transfer-Encoding: base64')),
    [],
    SDP,
    false,
  ],
  [
    'an alternative within',
    'multipart/mixed;boundary=b1',
    mixed(part('multipart/alternative;boundary=b2', `--b2\r\nContent-Type: application/sdp\r\n\r\n${SDP}\r\n--b2--`)),
    [],
    SDP,
    false,
  ],
  ['no closing boundary', 'multipart/mixed;boundary=b1', part('application/sdp', SDP), [], SDP, false],
] as const)
  test(`a body: ${what}`, () => {
    const found = described(type, body, ...lines);
    assert.deepEqual([found.sdp.trimEnd(), found.refused], [sdp.trimEnd(), refused]);
  });

test('parts, levels and their headers are bounded', () => {
  const many = mixed(...Array.from({ length: 30 }, () => part('a/b', 'x')), part('application/sdp', SDP));
  assert.equal(described('multipart/mixed;boundary=b1', many).sdp, '');
  const long = mixed(part('application/sdp', SDP, `X: ${'y'.repeat(5_000)}`));
  assert.equal(described('multipart/mixed;boundary=b1', long).sdp, '');
});
