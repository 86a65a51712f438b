import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from './message.ts';
import { parseMessage } from './parse.ts';

const LINES = [
  'OPTIONS sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKabc;rport',
  'Max-Forwards: 70',
  'From: "Alice, A." <sip:alice@example.com>;tag=1',
  'To: <sip:bob@example.com>',
  'Call-ID: a@b',
  'CSeq: 7 OPTIONS',
];

function parse(lines: string[], body = '') {
  return parseMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
}

function faultOf(lines: string[], body = ''): string {
  const message = parse(lines, body);
  return message.kind === 'fault' ? `${message.status} ${message.reason}` : message.kind;
}

test('a request is taken apart into what an answer needs', () => {
  const message = parse(LINES) as SipRequest;
  assert.equal(message.method, 'OPTIONS');
  assert.equal(message.callId, 'a@b');
  assert.equal(message.from.display, 'Alice, A.');
  assert.equal(message.via.port, 5062);
});

test('the body is counted in bytes, not in characters', () => {
  const message = parse([...LINES, 'Content-Length: 2'], '\xc3\xa9cdef') as SipRequest;
  assert.equal(message.body.toString(), 'é');
});

test('a lone line feed can not smuggle a header in', () => {
  assert.match(faultOf([...LINES, 'Subject: a\nContact: <sip:evil@example.com>']), /lone CR or LF/);
  assert.match(faultOf([...LINES, 'Subject: a\rb']), /lone CR or LF/);
});

test('everything has a bound: bytes, lines, line lengths, parameters', () => {
  assert.match(faultOf([...LINES, `Subject: ${'x'.repeat(9_000)}`]), /too long/);
  assert.match(faultOf([...LINES, ...Array.from({ length: 300 }, () => 'a: b')]), /Too many headers/);
  assert.equal(faultOf(LINES, 'x'.repeat(70_000)), '513 Message is too large');
  assert.equal(faultOf([...LINES, ...Array.from({ length: 9 }, () => `a: ${'x'.repeat(8_000)}`)]).slice(0, 3), '513');
  assert.match(faultOf([...LINES, `Contact: <sip:a@b>${';a=b'.repeat(70)}`]), /too many parameters/);
});

test('a message that is no SIP at all has no method and so no answer', () => {
  for (const text of ['GET / HTTP/1.1', '', 'xx', 'SIP/2.0 99 no', 'a b c']) {
    const message = parse([text]);
    assert.ok(message.kind === 'fault' && message.method === undefined, text);
  }
});

test('no bytes whatever make the parser throw', () => {
  let seed = 4475;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return seed / 0x7fff_ffff;
  };
  const text = `${[...LINES, 'Contact: "x" <sip:a@[::1]:5060;a=b?c=d>;q=1', 'Content-Length: 3'].join('\r\n')}\r\n\r\nabc`;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(text, 'latin1');
    for (let hits = 0; hits < 3; hits++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    parseMessage(bytes.subarray(0, 1 + Math.floor(random() * bytes.length)));
  }
});
