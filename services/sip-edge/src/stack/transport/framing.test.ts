import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tortureBytes } from '../testing/rfc4475/messages.ts';
import { EMPTY_FRAME, frame } from './framing.ts';

const HEAD = 'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKa\r\nContent-Length: ';
const message = (body: string) => Buffer.from(`${HEAD}${Buffer.byteLength(body)}\r\n\r\n${body}`);

test('a message may come byte by byte, and its body is counted in bytes', () => {
  let state = EMPTY_FRAME;
  const seen: Buffer[] = [];
  for (const byte of Buffer.concat([message('é\r\n\r\nx'), message('')])) {
    const step = frame(state, Buffer.of(byte));
    state = step.state;
    seen.push(...step.messages);
  }
  assert.deepEqual(seen, [message('é\r\n\r\nx'), message('')]);
  assert.equal(state.pending.length, 0);
});

test('many messages may come at once', () => {
  const step = frame(
    EMPTY_FRAME,
    Buffer.concat([message('a'), Buffer.from('\r\n\r\n'), message('b'), Buffer.from('OPT')]),
  );
  assert.equal(step.messages.length, 2);
  assert.equal(step.state.pending.toString(), 'OPT');
});

test('two empty lines alone ask whether we live', () => {
  assert.equal(frame(EMPTY_FRAME, Buffer.from('\r\n\r\n')).ping, true);
  assert.equal(frame(EMPTY_FRAME, Buffer.concat([message(''), Buffer.from('\r\n\r\n')])).ping, false);
});

test('a stream whose next message can not be told is refused for good, with an answer where one is possible', () => {
  for (const name of ['ncl', 'mcl01', 'inv2543'] as const) {
    const { fault } = frame(EMPTY_FRAME, tortureBytes(name));
    assert.equal(fault?.status, 400, name);
    assert.match(fault!.reason, /Content-Length/);
    assert.ok(fault!.method && fault!.headers?.get('via'), name);
  }
  assert.equal(frame(EMPTY_FRAME, Buffer.from('GET / HTTP/1.1\r\n')).fault?.method, undefined);
});

test('nothing grows without bound: endless headers and giant bodies are refused', () => {
  assert.equal(frame(EMPTY_FRAME, Buffer.from(`OPTIONS sip:a SIP/2.0\r\nA: ${'x'.repeat(40_000)}`)).fault?.status, 513);
  assert.ok(frame(EMPTY_FRAME, Buffer.from(`${HEAD}99999999\r\n\r\n`)).fault);
  assert.ok(frame(EMPTY_FRAME, Buffer.from('x'.repeat(9_000))).fault);
});

test('clerr waits for the rest of its body; dblreq holds two messages', () => {
  const waiting = frame(EMPTY_FRAME, tortureBytes('clerr'));
  assert.deepEqual([waiting.messages.length, waiting.fault], [0, undefined]);
  assert.equal(frame(EMPTY_FRAME, tortureBytes('dblreq')).messages.length, 2);
});
