// The 49 torture messages end to end, over UDP and over TCP, against a running edge with a fake engine that answers
// every call. After each one the edge must still answer an OPTIONS.

import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { parseMessage } from '../stack/message/parse.ts';
import { TORTURE_NAMES, type TortureName, tortureBytes } from '../stack/testing/rfc4475/messages.ts';
import { EMPTY_FRAME, frame } from '../stack/transport/framing.ts';
import { type House, NO_DIRECTORY, openHouse, ROUTE } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

/** An address of this test's own: without rport, answers go to port 5060 (5050) of wherever a message came from. */
const ADDRESS = '127.0.44.75';

/** Final statuses that are right; 0: no answer at all. Several where the RFC leaves a choice that we made one way. */
const OWED: Record<TortureName, readonly [number, RegExp?]> = {
  wsinv: [481],
  longreq: [200],
  intmeth: [501],
  esc02: [501],
  esc01: [200],
  lwsdisp: [200],
  semiuri: [200],
  transports: [200],
  escnull: [405, /^Allow: /m],
  dblreq: [405],
  mpart01: [405],
  unreason: [0],
  noreason: [0],
  badinv01: [400, /^SIP\/2.0 400 Via/],
  clerr: [400, /Content-Length/],
  ncl: [400, /Content-Length/],
  scalar02: [400, /CSeq/],
  scalarlg: [0],
  quotbal: [400, /quote/],
  ltgtruri: [400, /angle brackets/],
  lwsruri: [400, /white space/],
  lwsstart: [400, /white space/],
  trws: [400, /Request line/],
  escruri: [400, /headers/],
  baddate: [200],
  regbadct: [400, /Contact/],
  badaspec: [400, /white space/],
  baddn: [400, /display name/],
  badvers: [505],
  mismatch01: [400, /CSeq/],
  mismatch02: [400, /CSeq/],
  bigcode: [0],
  badbranch: [200],
  insuf: [400, /missing/],
  unkscm: [416],
  novelsc: [416],
  unksm2: [405],
  bext01: [420, /^Unsupported: nothingSupportsThis, nothingSupportsThisEither\r$/m],
  invut: [415, /^Accept: application\/sdp\r$/m],
  regaut01: [405],
  multi01: [400, /twice/],
  mcl01: [400, /Content-Length/],
  bcast: [0],
  zeromf: [200],
  cparam01: [405],
  cparam02: [405],
  regescrt: [405],
  sdp01: [406, /^Warning: 399 /m],
  inv2543: [200],
};

/** Over a stream these can't be told from what follows: another answer, or none until the rest comes. */
const OWED_BY_TCP: Partial<typeof OWED> = { clerr: [0], inv2543: [400, /Content-Length is missing/] };
const CLOSES = new Set<TortureName>(['ncl', 'mcl01', 'inv2543', 'dblreq']);

let house: House;

before(async () => {
  house = await openHouse({
    directory: { ...NO_DIRECTORY, route: async () => ({ ...ROUTE, callsMax: 0 }) },
    log: { info() {}, warn() {}, error: (fields, message) => console.error(message, fields) },
  });
  house.engine.react = (fact, _, ask) => {
    if (fact.type === 'CallArrived') ask({ type: 'AnswerRequested', leg: 0, sdp: OFFER });
  };
});
after(() => house.close());

let options = 0;

function probe(transport: 'UDP' | 'TCP', port: number): { callId: string; text: string } {
  const callId = `probe-${++options}`;
  const via = `Via: SIP/2.0/${transport} ${ADDRESS}:${port};branch=z9hG4bK${callId};rport`;
  const lines = [`OPTIONS sip:x@127.0.0.1 SIP/2.0`, via, 'Max-Forwards: 70', 'From: <sip:t@x>;tag=1', 'To: <sip:x@x>'];
  return {
    callId,
    text: `${[...lines, `Call-ID: ${callId}`, 'CSeq: 1 OPTIONS', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`,
  };
}

/** Answers as text, in their order. 1xx are left out. */
type Answers = string[];

const isFinal = (text: string) => /^SIP\/2.0 [2-6]/.test(text);
const isOf = (text: string, callId: string) => text.includes(`Call-ID: ${callId}\r\n`);

async function until(met: () => boolean, patienceMs = 20_000): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; ) {
    if (met()) return true;
    await new Promise((done) => setTimeout(done, 4));
  }
  return met();
}

function check(name: TortureName, answers: Answers, owed: readonly [number, RegExp?]): void {
  const statuses = answers.map((text) => Number(text.slice(8, 11)));
  if (owed[0] === 0) {
    assert.deepEqual(statuses, []);
    return;
  }
  assert.equal(statuses[0], owed[0], answers[0]);
  if (owed[1]) assert.match(answers[0]!, owed[1]);
  const invite = /^CSeq: .*INVITE/m.test(answers[0]!);
  if (invite && statuses[0] !== 400) assert.match(answers[0]!, /^X-Opentact-Call-Id: /m, name);
}

async function udpSocket(port: number): Promise<{ socket: Socket; answers: Answers }> {
  const socket = createSocket('udp4');
  const answers: Answers = [];
  socket.on('message', (bytes) => {
    if (isFinal(bytes.toString('latin1'))) answers.push(bytes.toString('latin1'));
  });
  socket.bind(port, ADDRESS);
  await once(socket, 'listening');
  return { socket, answers };
}

for (const name of TORTURE_NAMES) {
  test(`${name} over UDP: ${OWED[name][0] || 'no answer'}`, async () => {
    const port = name === 'quotbal' ? 5050 : 5060;
    const { socket, answers } = await udpSocket(port);
    socket.send(tortureBytes(name), house.edge.port, '127.0.0.1');
    const { callId, text } = probe('UDP', port);
    if (OWED[name][0] > 0) assert.ok(await until(() => answers.length > 0), 'an answer came');
    socket.send(text, house.edge.port, '127.0.0.1');
    assert.ok(await until(() => answers.some((one) => isOf(one, callId))), 'OPTIONS was answered');
    socket.close();
    const own = name === 'insuf' ? '' : `${name}.`;
    const sipCallId = name === 'mpart01' ? '3d9485ad0c49859b' : own;
    check(
      name,
      answers.filter((one) => !isOf(one, callId) && one.includes(sipCallId)),
      OWED[name],
    );
  });
}

for (const name of TORTURE_NAMES) {
  const owed = OWED_BY_TCP[name] ?? OWED[name];
  test(`${name} over TCP: ${owed[0] || 'no answer'}`, async () => {
    const first = await speak(
      name === 'baddn' ? Buffer.concat([tortureBytes(name), Buffer.from('\r\n')]) : tortureBytes(name),
    );
    if (owed[0] > 0) assert.ok(await until(() => first.answers.length > 0), 'an answer came');
    if (CLOSES.has(name)) assert.ok(await until(() => first.closed()), 'the connection was closed');
    if (name === 'dblreq') {
      assert.ok(await until(() => first.answers.length > 1), 'the second message was answered too');
      assert.match(first.answers[1]!, /^SIP\/2.0 200 [\s\S]*CSeq: 8 INVITE/);
    }
    const { callId, text } = probe('TCP', 5060);
    // Behind a body that is still owed, an OPTIONS would be part of it.
    const line = first.closed() || name === 'clerr' ? await speak(Buffer.from(text)) : first.send(text);
    assert.ok(await until(() => line.answers.some((one) => isOf(one, callId))), 'OPTIONS was answered');
    check(
      name,
      first.answers.filter((one) => !isOf(one, callId)),
      owed,
    );
    first.socket.destroy();
    line.socket.destroy();
  });
}

async function speak(bytes: Buffer) {
  const socket = connect({ port: house.edge.port, host: '127.0.0.1', localAddress: ADDRESS });
  await once(socket, 'connect');
  const answers: Answers = [];
  let state = EMPTY_FRAME;
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (chunk) => {
    const step = frame(state, chunk);
    state = step.state;
    for (const message of step.messages)
      if (isFinal(message.toString('latin1'))) answers.push(message.toString('latin1'));
  });
  socket.write(bytes);
  const line = {
    socket,
    answers,
    closed: () => closed,
    send(text: string) {
      socket.write(text);
      return line;
    },
  };
  return line;
}

test('every answer of the edge can be read by a strict parser', async () => {
  const { socket, answers } = await udpSocket(5060);
  for (const name of ['intmeth', 'wsinv', 'longreq', 'escnull'] as const) {
    socket.send(tortureBytes(name), house.edge.port, '127.0.0.1');
  }
  await until(() => answers.length >= 4);
  socket.close();
  for (const text of answers) assert.notEqual(parseMessage(Buffer.from(text, 'latin1')).kind, 'fault', text);
  const intmeth = answers.find((text) => isOf(text, 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{'))!;
  for (const name of ['From', 'To']) {
    const sent = new RegExp(`^${name}: (.*)\r$`, 'm').exec(tortureBytes('intmeth').toString('latin1'))![1]!;
    assert.ok(intmeth.includes(`${name}: ${sent}`), `${name} is echoed byte for byte`);
  }
});
