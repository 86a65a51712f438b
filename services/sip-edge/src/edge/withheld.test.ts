import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';
import { isWithheld } from './withheld.ts';

function invite(from: string, ...more: string[]): SipRequest {
  const lines = [
    'INVITE sip:1@127.0.0.1 SIP/2.0',
    'Via: SIP/2.0/UDP 127.0.0.1:5080;branch=z9hG4bKa',
    `From: ${from};tag=t`,
    'To: <sip:1@127.0.0.1>',
    'Call-ID: c',
    'CSeq: 1 INVITE',
    ...more,
  ];
  const message = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`));
  assert.ok(message.kind === 'request', JSON.stringify(message));
  return message;
}

test('a caller withholds the number by From or by Privacy, and by nothing else', () => {
  const known = '<sip:13055550199@10.0.0.1>';
  for (const from of ['<sip:10.0.0.1>', '<sip:anonymous@10.0.0.1>', '<sip:Anonymous@anonymous.invalid>'])
    assert.equal(isWithheld(invite(from)), true, from);
  assert.equal(isWithheld(invite('<sip:x@anonymous.invalid>')), true);
  for (const privacy of ['id', 'user;id', 'critical; header', 'id,critical'])
    assert.equal(isWithheld(invite(known, `Privacy: ${privacy}`)), true, privacy);
  assert.equal(isWithheld(invite(known)), false);
  assert.equal(isWithheld(invite(known, 'Privacy: none')), false);
  assert.equal(isWithheld(invite(`"Anonymous" ${known}`)), false);
});
