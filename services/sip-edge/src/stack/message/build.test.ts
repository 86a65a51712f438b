import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMessage, formatResponse } from './build.ts';
import { quote } from './grammar.ts';
import type { SipRequest } from './message.ts';
import { formatNameAddr } from './name-addr.ts';
import { parseMessage } from './parse.ts';
import { parseUri } from './uri.ts';

const request = (via: string) =>
  parseMessage(
    Buffer.from(
      `INVITE sip:b@example.com SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:a@x>;tag=1\r\nTo: sip:b@example.com\r\n` +
        'Call-ID: c\r\nCSeq: 1 INVITE\r\nRecord-Route: <sip:p;lr>\r\n\r\n',
    ),
  ) as SipRequest;
const source = { address: '192.0.2.9', port: 4321 };
const answer = (via: string, status = 200) =>
  formatResponse(request(via), source, status, { toTag: 't' }).toString('latin1');

test('an answer tells a caller behind a NAT the port it was seen at', () => {
  assert.match(
    answer('SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;rport'),
    /Via: SIP\/2.0\/UDP 10.0.0.1;branch=z9hG4bKx;rport=4321;received=192.0.2.9\r\n/,
  );
});

test('a caller that did not ask for rport is told its address only where Via is wrong about it', () => {
  assert.match(answer('SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx'), /branch=z9hG4bKx;received=192.0.2.9\r\n/);
  assert.match(answer('SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx'), /branch=z9hG4bKx\r\n/);
});

test('a To without brackets still gets its tag outside the address', () => {
  assert.match(answer('SIP/2.0/UDP 10.0.0.1'), /To: sip:b@example.com;tag=t\r\n/);
});

test('Record-Route goes back where a dialog may follow and not with 100 or a refusal', () => {
  assert.match(answer('SIP/2.0/UDP x'), /Record-Route: <sip:p;lr>/);
  assert.doesNotMatch(answer('SIP/2.0/UDP x', 100), /Record-Route/);
  assert.doesNotMatch(answer('SIP/2.0/UDP x', 486), /Record-Route/);
});

test('no value can add a header of its own', () => {
  assert.throws(() => formatMessage('OPTIONS sip:a SIP/2.0', [['Subject', 'x\r\nEvil: y']]), /no line end/);
  assert.throws(() => formatMessage('OPTIONS sip:a SIP/2.0', [['Sub ject', 'x']]), /not a token/);
  assert.throws(() => quote('a\r\nb'), /control/);
  assert.throws(() => formatNameAddr({ display: 'a\nb', uri: parseUri('sip:a@b') }), /control/);
  assert.throws(() => parseUri('sip:a\r\n@b'), /must be escaped/);
  assert.equal(quote('say "hi" \\'), '"say \\"hi\\" \\\\"');
});

test('Content-Length is the number of bytes', () => {
  assert.match(formatMessage('A', [], Buffer.from('é')).toString(), /Content-Length: 2\r\n\r\né$/);
});
