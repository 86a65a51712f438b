// What strangers can take: no memory, no bytes beyond three times their own, and no more than their share of an
// account's calls.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { localTag } from '@opentact/proto';
import { type House, openHouse, ROUTE, SECRET } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

const inHouse = (options: Parameters<typeof openHouse>[0], body: (house: House) => Promise<void>) => async () => {
  const house = await openHouse(options);
  try {
    await body(house);
  } finally {
    await house.close();
  }
};

/** Sends one datagram, and counts what comes back in so many ms. */
async function ask(port: number, text: string, ms: number): Promise<{ sent: number; heard: string[]; bytes: number }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard: string[] = [];
  socket.on('message', (bytes) => heard.push(bytes.toString('latin1')));
  const via = text.replaceAll('PORT', String(socket.address().port));
  socket.send(via, port, '127.0.0.1');
  await new Promise((done) => setTimeout(done, ms));
  socket.close();
  return { sent: via.length, heard, bytes: heard.join('').length };
}

const SHORT =
  'METHOD sip:nobody@h SIP/2.0\r\nv:SIP/2.0/UDP 127.0.0.1:PORT;branch=z9hG4bKx\r\nf:<sip:a@h>;tag=a\r\nt:<sip:b@h>\r\ni:c1\r\n' +
  'CSeq:1 METHOD\r\nm:<sip:a@h>\r\n\r\n';
const SHORTEST = 'METHOD sip:a SIP/2.0\r\nv:SIP/2.0/UDP h:PORT\r\nf:sip:a\r\nt:sip:a\r\ni:a\r\nCSeq:1 METHOD\r\n\r\n';

for (const method of ['INVITE', 'OPTIONS', 'BYE', 'CANCEL', 'REGISTER', 'NOSUCH']) {
  for (const text of [SHORT, SHORTEST]) {
    test(
      `a ${method} of ${text.length} bytes from a stranger draws one answer, of three times its bytes at most`,
      inHouse({ hurry: 50 }, async ({ edge }) => {
        const { sent, heard, bytes } = await ask(edge.port, text.replaceAll('METHOD', method), 300);
        assert.equal(heard.length, 1);
        assert.ok(bytes <= 3 * sent, `${bytes} bytes for ${sent}`);
        assert.equal(edge.transactions(), 0);
      }),
    );
  }
}

test(
  'a source that never acknowledged anything draws four answers and one BYE from a good number, and nobody else does',
  inHouse({ hurry: 400 }, async ({ edge, engine, another }) => {
    engine.react = (fact, _, request) => {
      if (fact.type === 'CallArrived') request({ type: 'AnswerRequested', leg: 0, sdp: OFFER });
    };
    const victim = await another();
    const text = SHORT.replaceAll('METHOD', 'INVITE')
      .replace('sip:nobody@h', 'sip:18005550100@127.0.0.1')
      .replace('m:<sip:a@h>', `m:<sip:a@127.0.0.1:${victim.port}>`);
    const { heard } = await ask(edge.port, text, 600);
    const count = (start: string) => heard.filter((one) => one.startsWith(start)).length;
    assert.equal((await engine.fact('LegEnded')).reason, 'no-ack');
    assert.equal(count('SIP/2.0 200'), 4);
    assert.equal(count('BYE'), 1);
    assert.equal(victim.heard.length, 0, 'its Contact is not believed');
  }),
);

test(
  'a source that never acknowledged anything draws three refusals from a good number',
  inHouse({ hurry: 400 }, async ({ edge, engine, routes }) => {
    routes.set('18005550100', { ...ROUTE, refusal: 'blacklisted' });
    engine.react = (fact, _, request) => {
      const end = { status: 403, q850: 21, reason: 'screened', owner: 'document' };
      if (fact.type === 'CallArrived') request({ type: 'HangupRequested', leg: 0, ...end });
    };
    const text = SHORT.replaceAll('METHOD', 'INVITE').replace('sip:nobody@h', 'sip:18005550100@127.0.0.1');
    const { heard } = await ask(edge.port, text, 600);
    assert.equal(heard.filter((one) => one.startsWith('SIP/2.0 403')).length, 3);
  }),
);

test(
  'broken requests draw no more than three times their bytes',
  inHouse({ hurry: 50 }, async ({ edge }) => {
    const broken = SHORT.replaceAll('METHOD', 'INVITE').replace('i:c1\r\n', 'i: a b\r\n');
    const { sent, heard, bytes } = await ask(edge.port, broken, 100);
    assert.equal(heard.length, 1);
    assert.ok(bytes <= 3 * sent);
  }),
);

test(
  'the ACK of a refused stranger is silent, and his messages are kept nowhere',
  inHouse({}, async ({ edge, phone }) => {
    phone.request('INVITE', { uri: 'sip:nobody@127.0.0.1', branch: 'z9hG4bKnone' });
    const refusal = await phone.status(404);
    const callId = refusal.headers.get('x-opentact-call-id')!;
    phone.request('ACK', { uri: 'sip:nobody@127.0.0.1', branch: 'z9hG4bKnone', toTag: 'whatever' });
    assert.equal(await phone.silence(100), 0);
    assert.equal(edge.messages(callId), undefined);
    phone.request('INVITE', { callId: 'good', body: OFFER });
    const admitted = (await phone.status(100)).headers.get('x-opentact-call-id')!;
    assert.match(edge.messages(admitted)![0]!.text, /^INVITE/);
  }),
);

test(
  'one source holds a quarter of an account’s calls without an ACK; others have theirs, and a connection is exempt',
  inHouse({}, async (house) => {
    const { engine, phone } = house;
    house.routes.set('18005550100', { ...ROUTE, callsMax: 8 });
    const invite = (from: typeof phone, n: number) =>
      from.request('INVITE', { callId: `c${n}`, fromTag: `f${n}`, body: OFFER });
    for (let n = 1; n <= 3; n++) invite(phone, n);
    const refused = await phone.status(503);
    assert.equal(refused.callId, 'c3');
    assert.ok(refused.headers.get('retry-after'));
    const other = await house.another('127.0.0.9');
    invite(other, 4);
    assert.equal((await engine.fact('CallArrived', 3)).sipCallId, 'c4');
    // Answered and acknowledged, a call is no part of the share any more.
    const { callId } = await engine.fact('CallArrived');
    engine.ask(callId, { type: 'AnswerRequested', leg: 0, sdp: OFFER });
    await phone.status(200);
    phone.request('ACK', { callId: 'c1', fromTag: 'f1', toTag: localTag(SECRET, callId, 0) });
    await engine.fact('LegConfirmed');
    invite(phone, 5);
    assert.equal((await engine.fact('CallArrived', 4)).sipCallId, 'c5');
    house.routes.set('18005550100', { ...ROUTE, callsMax: 8, media: { ranges: [], fromAnywhere: false } });
    for (let n = 6; n <= 9; n++) invite(phone, n);
    await engine.fact('CallArrived', 8);
  }),
);

test(
  'a caller that ends gives its share back',
  inHouse({}, async ({ engine, phone, routes }) => {
    routes.set('18005550100', { ...ROUTE, callsMax: 1 });
    for (let n = 1; n <= 5; n++) {
      phone.request('INVITE', { callId: `c${n}`, branch: `z9hG4bKc${n}`, body: OFFER });
      await engine.fact('CallArrived', n);
      phone.request('CANCEL', { callId: `c${n}`, branch: `z9hG4bKc${n}` });
      await engine.fact('LegEnded', n);
    }
  }),
);

test(
  'a stranger that is refused or cancels at once begins so many calls and no more; a connection’s calls go on',
  inHouse({}, async (house) => {
    const { engine, phone, routes, edge } = house;
    routes.set('18005550100', { ...ROUTE, refusal: 'blacklisted' });
    const cycle = (from: typeof phone, n: number) => {
      const of = { callId: `r${n}`, fromTag: `t${n}`, branch: `z9hG4bKr${n}` };
      from.request('INVITE', { ...of, body: OFFER });
      from.request('CANCEL', of);
    };
    const begun = () => engine.types().filter((type) => type === 'CallArrived').length;
    const settled = () => new Promise((done) => setTimeout(done, 500));
    const stranger = await house.another('127.0.0.8');
    for (let n = 0; n < 300; n++) cycle(stranger, n);
    const refused = await stranger.status(503);
    assert.ok(refused.headers.get('retry-after'));
    await settled();
    const first = begun();
    assert.ok(first >= 100 && first < 150, `${first} of 300`);
    assert.ok(edge.transactions() < 2 * first + 20, 'nothing is kept of the rest');
    const before = begun();
    routes.set('18005550100', { ...ROUTE, callsMax: 0, media: { ranges: [], fromAnywhere: false } });
    // Fewer at once than may be set up at once.
    for (let n = 1_000; n < 1_200; n++) {
      stranger.request('INVITE', { callId: `c${n}`, fromTag: `f${n}`, body: OFFER });
      if (n % 50 === 49) await settled();
    }
    assert.equal(begun() - before, 200);
  }),
);

test(
  'a source that tries one number after another is soon refused without asking the Directory, and reaches known numbers',
  inHouse({}, async (house) => {
    const { engine, phone } = house;
    const scanner = await house.another('127.0.0.8');
    const call = (user: string, n: number) =>
      scanner.request('INVITE', { uri: `sip:${user}@127.0.0.1`, callId: `s${n}`, fromTag: `f${n}`, body: OFFER });
    for (let n = 0; n < 400; n++) {
      call(`9${n}`, n);
      if (n % 20 === 19) await new Promise((done) => setTimeout(done, 5));
    }
    const refused = await scanner.status(503);
    assert.ok(refused.headers.get('retry-after'));
    assert.ok(house.asked.length >= 200 && house.asked.length < 260, `${house.asked.length} of 400 were asked about`);
    call('18005550100', 1_000);
    assert.equal((await engine.fact('CallArrived')).sipCallId, 's1000');
    // Another source tries what nobody is known to have as before.
    phone.request('INVITE', { uri: 'sip:nobody@127.0.0.1', callId: 'other' });
    assert.equal((await phone.status(404)).callId, 'other');
  }),
);

test(
  'calls beyond the rate of their source ask the Directory nothing',
  inHouse({}, async (house) => {
    house.routes.set('18005550100', { ...ROUTE, callsMax: 1_000 });
    const stranger = await house.another('127.0.0.8');
    for (let n = 0; n < 300; n++) {
      // A name of his own each time, so that no answer about another caller serves.
      stranger.request('INVITE', { callId: `r${n}`, fromTag: `t${n}`, body: OFFER });
      if (n % 20 === 19) await new Promise((done) => setTimeout(done, 5));
    }
    await stranger.status(503);
    assert.ok(house.asked.length < 150, `${house.asked.length} of 300 were asked about`);
  }),
);
