import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';
import { isCallerIdRestricted } from './caller-id.ts';

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
    assert.equal(isCallerIdRestricted(invite(from)), true, from);
  assert.equal(isCallerIdRestricted(invite('<sip:x@anonymous.invalid>')), true);
  for (const privacy of ['id', 'user;id', 'critical; header', 'id,critical'])
    assert.equal(isCallerIdRestricted(invite(known, `Privacy: ${privacy}`)), true, privacy);
  assert.equal(isCallerIdRestricted(invite(known)), false);
  assert.equal(isCallerIdRestricted(invite(known, 'Privacy: none')), false);
  assert.equal(isCallerIdRestricted(invite(`"Anonymous" ${known}`)), false);
});
