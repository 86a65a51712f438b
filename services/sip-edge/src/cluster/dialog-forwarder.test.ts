// Messages that reach the edge which doesn't hold their leg: forwarded, answered by the holder, kept for a moment where
// nobody holds it yet, and never more than bounded.

import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { callIdOfInvite, localTag, verifyTag } from '@opentact/proto';
import { textParamOf } from '../stack/message/params.ts';
import { SECRET } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';
import { openStreet, type Street } from '../testing/street.ts';

const ANSWER = OFFER.replace('4000', '5000');
const callId = callIdOfInvite(SECRET, 'call-1', 'caller', 1);
const tag = localTag(SECRET, callId, 0);
const sdp = { type: 'application/sdp', bytes: Buffer.from(OFFER) };
const end = { status: 0, q850: 16, reason: 'done', owner: 'us' };

function story(
  name: string,
  options: { hurry?: number; edges?: number },
  run: (street: Street) => Promise<void>,
): void {
  test(name, { timeout: 20_000 }, async () => {
    const street = await openStreet(options);
    street.kernel = 0;
    try {
      await run(street);
    } finally {
      await street.close();
    }
  });
}

/** Answered and confirmed at edge 0. */
async function answered(street: Street): Promise<void> {
  street.phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKfirst' });
  await street.fact('CallArrived');
  street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  await street.phone.status(200);
  street.phone.request('ACK', { toTag: tag });
  await street.fact('LegConfirmed');
}

const edgesOf = (street: Street) => street.told.map(({ edge, fact }) => `${edge} ${fact.type}`);

story('a call whose every message but its INVITE reaches the other edge, in and out', {}, async (street) => {
  const { phone } = street;
  phone.request('INVITE', { body: OFFER });
  await street.fact('CallArrived');
  street.kernel = 1;
  street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  await phone.status(200);
  phone.request('ACK', { toTag: tag });
  await street.fact('LegConfirmed');
  const bob = await street.another();
  street.ask(0, callId, {
    ...{ type: 'DialRequested', leg: 1, target: `sip:bob@127.0.0.1:${bob.port}`, accountId: 'demo' },
    ...{ fromUser: 'alice', sdp: OFFER },
  });
  const invite = await bob.incoming('INVITE');
  bob.respond(invite, 180);
  await street.fact('LegRang');
  bob.respond(invite, 200, { body: sdp });
  await bob.incoming('ACK');
  phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
  const { transaction } = await street.fact('OfferReceived');
  street.ask(0, callId, { type: 'OfferAnswerRequested', leg: 0, sdp: ANSWER, status: 0, transaction });
  await phone.status(200, 'INVITE');
  phone.request('ACK', { toTag: tag, cseq: 2 });
  phone.request('OPTIONS', { toTag: tag, cseq: 3 });
  await phone.status(200, 'OPTIONS');
  street.ask(0, callId, { type: 'HangupRequested', leg: 1, ...end });
  bob.respond(await bob.incoming('BYE'), 200);
  assert.equal((await street.fact('LegEnded')).leg, 1);
  phone.request('BYE', { toTag: tag, cseq: 4 });
  await phone.status(200, 'BYE');
  assert.equal((await street.fact('LegEnded', 2)).by, 'peer');
  assert.ok(
    edgesOf(street).every((line) => line.startsWith('0 ')),
    edgesOf(street).join(),
  );
  assert.deepEqual(street.lookups, [`${callId}/0`, `${callId}/1`], 'each leg is looked up once, then remembered');
  assert.equal(street.edges[1]!.edge.transactions(), 0, 'the other edge keeps nothing of it');
});

story('nothing is looked up for a leg that is held here', {}, async (street) => {
  await answered(street);
  street.phone.request('BYE', { toTag: tag, cseq: 2 });
  await street.phone.status(200, 'BYE');
  street.phone.request('ACK', { toTag: tag });
  assert.deepEqual(street.lookups, []);
});

story('a CANCEL and its refusal’s ACK at the other edge', {}, async (street) => {
  const { phone } = street;
  phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKx' });
  await street.fact('CallArrived');
  street.kernel = 1;
  phone.request('CANCEL', { branch: 'z9hG4bKx' });
  await phone.status(487);
  await phone.status(200, 'CANCEL');
  phone.request('ACK', { branch: 'z9hG4bKx', toTag: tag });
  const heard = phone.heard.length;
  await phone.silence(700);
  assert.equal(phone.heard.length, heard, 'the 487 is not repeated: its ACK arrived');
  assert.equal((await street.fact('LegEnded')).reason, 'cancelled');
});

story('a repeated INVITE at the other edge is answered by the first, and leaves nothing there', {}, async (street) => {
  const { phone } = street;
  const invite = phone.request('INVITE', { body: OFFER });
  await street.fact('CallArrived');
  street.ask(0, callId, { type: 'RingRequested', leg: 0, sdp: '' });
  await phone.status(180);
  street.kernel = 1;
  phone.send(invite);
  await phone.silence(100);
  const rings = phone.heard.filter((one) => one.kind === 'response' && one.status === 180);
  assert.equal(rings.length, 2);
  const { edge } = street.edges[1]!;
  assert.deepEqual([edge.liveCalls(), edge.transactions()], [0, 0]);
  assert.equal(edgesOf(street).filter((line) => line.endsWith('CallArrived')).length, 1);
  assert.equal(
    phone.heard.some((one) => one.kind === 'response' && one.status >= 300),
    false,
  );
});

story('the same call with another branch at the other edge went around: 482', {}, async (street) => {
  street.phone.request('INVITE', { body: OFFER });
  await street.fact('CallArrived');
  street.kernel = 1;
  street.phone.request('INVITE', { body: OFFER });
  await street.phone.status(482);
  assert.equal(street.edges[1]!.edge.liveCalls(), 0);
});

story('a repeated INVITE whose edge died is answered by whoever adopts it', {}, async (street) => {
  const { phone } = street;
  const invite = phone.request('INVITE', { body: OFFER });
  const { invite: bytes, transport, sourceAddress, accountId } = await street.fact('CallArrived');
  await street.kill(0);
  street.kernel = 1;
  phone.send(invite);
  await phone.silence(50);
  const said = phone.heard.filter((one) => one.kind === 'response' && one.status > 100);
  assert.deepEqual([street.edges[1]!.edge.liveCalls(), said], [0, []]);
  const text = Buffer.from(bytes).toString('latin1');
  const adopt = { type: 'AdoptRequested', leg: 0, invite: text, transport, sourceAddress, accountId } as const;
  street.ask(1, callId, { ...adopt, answer: 0, answerSdp: '', target: '' });
  await street.fact('LegAdopted');
  street.ask(1, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  assert.equal((await phone.status(200)).body.toString(), ANSWER);
});

story(
  'an edge that dies before a call is in the log has said nothing: the phone asks again, elsewhere',
  {},
  async (street) => {
    const { phone } = street;
    street.logAway = true;
    const invite = phone.request('INVITE', { body: OFFER });
    await phone.silence(100);
    assert.deepEqual(phone.heard, [], 'no 100 yet');
    await street.kill(0);
    street.kernel = 1;
    street.logAway = false;
    phone.send(invite);
    assert.equal((await street.fact('CallArrived')).edge, 1);
    await phone.status(100);
  },
);

story('what was remembered of a holder goes with it', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  street.kernel = 1;
  phone.request('OPTIONS', { toTag: tag, cseq: 2 });
  await phone.status(200, 'OPTIONS');
  const { dialog } = await street.fact('LegAnswered');
  await street.kill(0);
  const none = { invite: '', transport: '', sourceAddress: '', answer: 0, answerSdp: '', target: '' };
  phone.request('BYE', { toTag: tag, cseq: 3 });
  await phone.silence(250);
  street.ask(1, callId, { type: 'AdoptRequested', leg: 0, ...none, accountId: 'demo', dialog });
  await phone.status(200, 'BYE');
  const ended = await street.fact('LegEnded');
  assert.deepEqual([ended.reason, ended.edge], ['bye', 1]);
});

story('a leg of a call that its owner knows no more: 481 at once', {}, async (street) => {
  const { phone, holders } = street;
  await answered(street);
  await street.kill(0);
  street.kernel = 1;
  holders.set(`${callId}/0`, undefined);
  phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
  phone.request('BYE', { toTag: tag, cseq: 3 });
  await phone.status(481, 'INVITE');
  await phone.status(481, 'BYE');
  assert.deepEqual([street.lookups.length, street.edges[1]!.edge.liveCalls()], [1, 0]);
});

story(
  'a leg that nobody takes over in time: 100, then 500, and a BYE is taken at its word',
  { hurry: 4 },
  async (street) => {
    const { phone } = street;
    await answered(street);
    await street.kill(0);
    street.kernel = 1;
    phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
    phone.request('BYE', { toTag: tag, cseq: 3 });
    await phone.status(200, 'BYE');
    assert.equal((await street.fact('LegEnded')).edge, 1);
    const trying = phone.heard.filter((one) => one.kind === 'response' && one.status === 100 && one.cseq.number === 2);
    assert.equal(trying.length, 1);
    assert.ok((await phone.status(500, 'INVITE')).headers.get('retry-after'));
  },
);

story(
  'no owner: BYE is taken at its word and told, everything else may be tried again',
  { hurry: 4 },
  async (street) => {
    const { phone } = street;
    await answered(street);
    street.kernel = 1;
    street.ownerAway = true;
    const bye = phone.request('BYE', { toTag: tag, cseq: 3 });
    phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
    await phone.status(200, 'BYE');
    phone.send(bye);
    assert.ok((await phone.status(500, 'INVITE')).headers.get('retry-after'));
    const ended = street.told.filter(({ fact }) => fact.type === 'LegEnded');
    assert.deepEqual(
      ended.map(({ edge, fact }) => [edge, fact.type === 'LegEnded' && fact.reason]),
      [[1, 'bye']],
    );
  },
);

story('forged names are looked up by nobody', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  street.kernel = 1;
  phone.request('BYE', { toTag: `${tag.slice(0, -1)}${tag.endsWith('0') ? '1' : '0'}`, cseq: 2 });
  await phone.status(481, 'BYE');
  assert.deepEqual(street.lookups, []);
});

story('a message is kept once however often it comes, and only so many of one leg', { hurry: 4 }, async (street) => {
  const { phone } = street;
  await answered(street);
  await street.kill(0);
  street.kernel = 1;
  const bye = phone.request('OPTIONS', { toTag: tag, cseq: 2 });
  for (let copy = 0; copy < 20; copy++) phone.send(bye);
  for (let cseq = 3; cseq < 13; cseq++) phone.request('OPTIONS', { toTag: tag, cseq });
  await phone.silence(150);
  const refused = () => phone.heard.filter((one) => one.kind === 'response' && one.status >= 300).length;
  assert.equal(refused(), 3, 'eight wait, the rest is refused');
  await phone.silence(600);
  assert.equal(refused(), 11);
  const statuses = phone.heard.flatMap((one) => (one.kind === 'response' && one.status >= 300 ? one.status : []));
  assert.deepEqual([...new Set(statuses)], [500], 'nobody said that there is no such dialog');
});

story('CANCELs of strangers take no room of those who prove that they are ours', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  street.kernel = 1;
  street.cut = true;
  for (let stranger = 0; stranger < 210; stranger++) phone.request('CANCEL', { callId: `stranger-${stranger}` });
  const refused = () => phone.heard.filter((one) => one.kind === 'response' && one.status === 481).length;
  for (let waits = 0; waits < 14 && refused() < 10; waits++) await phone.silence(100);
  assert.equal(refused(), 10, 'two hundred wait, the rest is refused at once');
  street.cut = false;
  phone.request('OPTIONS', { toTag: tag, cseq: 2 });
  await phone.status(200, 'OPTIONS');
});

story('a way that is cut is tried until patience ends, and found again', { hurry: 4 }, async (street) => {
  const { phone } = street;
  await answered(street);
  street.kernel = 1;
  street.cut = true;
  phone.request('OPTIONS', { toTag: tag, cseq: 2 });
  await phone.silence(100);
  street.cut = false;
  await phone.status(200, 'OPTIONS');
  street.cut = true;
  phone.request('OPTIONS', { toTag: tag, cseq: 3 });
  assert.ok((await phone.status(500, 'OPTIONS')).headers.get('retry-after'), 'its dialog may live');
});

story('a leaving edge hands its calls to the other without a word, and refuses new ones', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  const { edge } = street.edges[0]!;
  const leaving = edge.drain(5_000);
  phone.request('INVITE', { callId: 'call-2', body: OFFER });
  await phone.status(503);
  phone.request('OPTIONS', { callId: 'call-3' });
  await phone.status(503, 'OPTIONS');
  await leaving;
  await edge.settled();
  phone.request('OPTIONS', { callId: 'call-4' });
  assert.equal(await phone.silence(100), 0, 'silent as a dead one');
  await street.kill(0);
  assert.deepEqual(
    street.told.map(({ fact }) => fact.type),
    ['CallArrived', 'LegAnswered', 'LegConfirmed'],
  );
});

story('an edge that slept drops what another holds now, and goes on with the rest', {}, async (street) => {
  const { phone, holders } = street;
  const [sleeper, other] = street.edges as [Street['edges'][0], Street['edges'][0]];
  await answered(street);
  phone.request('INVITE', { callId: 'call-2', body: OFFER });
  await street.fact('CallArrived', 2);
  assert.equal(sleeper.edge.liveCalls(), 2);
  const { dialog } = await street.fact('LegAnswered');
  const none = { invite: '', transport: '', sourceAddress: '', answer: 0, answerSdp: '', target: '' };
  street.ask(1, callId, { type: 'AdoptRequested', leg: 0, ...none, accountId: 'demo', dialog });
  phone.respond(await phone.incoming('OPTIONS'), 200);
  assert.equal(holders.get(`${callId}/0`), other.self);
  sleeper.suspendedMs = 60_000;
  phone.request('BYE', { toTag: tag, cseq: 2 }); // reaches the sleeper, which held it once
  await phone.status(200, 'BYE');
  assert.equal((await street.fact('LegEnded')).edge, 1);
  assert.deepEqual([sleeper.edge.liveCalls(), other.edge.liveCalls()], [1, 0]);
});

const NONE = { invite: '', transport: '', sourceAddress: '', answer: 0, answerSdp: '', target: '' };

story(
  'a repeated INVITE that an edge hears as it wakes begins nothing: its CANCEL is the adopter’s',
  {},
  async (street) => {
    const { phone } = street;
    const [sleeper, other] = street.edges as [Street['edges'][0], Street['edges'][0]];
    const invite = phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKx' });
    const { invite: bytes, transport, sourceAddress, accountId } = await street.fact('CallArrived');
    await phone.status(100);
    const text = Buffer.from(bytes).toString('latin1');
    street.ask(1, callId, {
      type: 'AdoptRequested',
      leg: 0,
      ...NONE,
      invite: text,
      transport,
      sourceAddress,
      accountId,
    });
    await street.fact('LegAdopted');
    street.logAway = true;
    sleeper.suspendedMs = 60_000;
    phone.send(invite);
    await phone.silence(100);
    assert.deepEqual([sleeper.edge.liveCalls(), sleeper.edge.transactions()], [0, 0]);
    phone.request('CANCEL', { branch: 'z9hG4bKx' });
    await phone.status(487);
    assert.deepEqual([sleeper.edge.liveCalls(), other.edge.liveCalls()], [0, 0]);
  },
);

story('an edge that remembers the wrong holder asks again as the phone does', { edges: 3 }, async (street) => {
  const { phone } = street;
  await answered(street);
  street.kernel = 1;
  phone.request('OPTIONS', { toTag: tag, cseq: 2 });
  await phone.status(200, 'OPTIONS');
  const { dialog } = await street.fact('LegAnswered');
  street.ask(2, callId, { type: 'AdoptRequested', leg: 0, ...NONE, accountId: 'demo', dialog });
  phone.respond(await phone.incoming('OPTIONS'), 200);
  street.edges[0]!.suspendedMs = 60_000;
  const bye = phone.request('BYE', { toTag: tag, cseq: 3 });
  await phone.silence(500);
  phone.send(bye);
  await phone.status(200, 'BYE');
  assert.equal((await street.fact('LegEnded')).edge, 2);
  await phone.silence(1_700);
  assert.equal(
    phone.heard.some((one) => one.kind === 'response' && one.status === 481),
    false,
  );
});

story('a leg that is ours by its owner’s word and never comes: 500, since it lives', { hurry: 4 }, async (street) => {
  const { phone, holders } = street;
  await answered(street);
  await street.kill(0);
  street.kernel = 1;
  holders.set(`${callId}/0`, street.edges[1]!.self);
  phone.request('OPTIONS', { toTag: tag, cseq: 2 });
  assert.ok((await phone.status(500, 'OPTIONS')).headers.get('retry-after'));
});

story('strangers that are refused learn no leg’s name', { hurry: 4 }, async (street) => {
  const { phone } = street;
  phone.request('INVITE', { callId: 'call-2', body: OFFER, lines: ['Require: nonsense'] });
  phone.request('INVITE', { callId: 'call-3', body: `${OFFER}${'a=x\r\n'.repeat(4_000)}` });
  street.logAway = true;
  phone.request('INVITE', { callId: 'call-4', body: OFFER });
  for (const status of [420, 513, 503]) {
    const named = textParamOf((await phone.status(status)).to.params, 'tag');
    assert.ok(named);
    assert.equal(verifyTag(SECRET, named), undefined, `${status}`);
  }
});

story('the answer to an offer of a leg that was dropped reaches whoever adopted it', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  const offer = { type: 'OfferRequested', leg: 0, sdp: ANSWER } as const;
  const seq = street.ask(0, callId, offer);
  const invite = await phone.incoming('INVITE');
  const { dialog } = await street.fact('LegAnswered');
  street.ask(1, callId, { type: 'AdoptRequested', leg: 0, ...NONE, accountId: 'demo', dialog });
  street.ask(1, callId, offer, seq);
  await phone.incoming('INVITE', 2);
  street.edges[0]!.suspendedMs = 60_000;
  phone.respond(invite, 200, { body: sdp });
  const accepted = await street.fact('OfferAccepted');
  assert.deepEqual([accepted.edge, accepted.requestId], [1, seq]);
  assert.equal(
    street.told.some(({ fact }) => fact.type === 'OfferRefused'),
    false,
  );
});

story('an edge that leaves counts on none that went silent meanwhile', { hurry: 2 }, async (street) => {
  const { phone } = street;
  await answered(street);
  let asked = 0;
  street.heirs = () => (asked++ === 0 ? 'leaving' : undefined);
  const leaving = street.edges[0]!.edge.drain(3_000);
  phone.respond(await phone.incoming('BYE'), 200);
  await leaving;
  assert.equal((await street.fact('LegEnded')).reason, 'bye');
  assert.equal(street.edges[0]!.edge.load(), 100);
});

story('an edge that heard of no owner for long asks what it still holds', { hurry: 5 }, async (street) => {
  const { phone, holders } = street;
  const [first, second] = street.edges as [Street['edges'][0], Street['edges'][0]];
  await answered(street);
  street.ownerSilent = true;
  await phone.silence(700);
  holders.set(`${callId}/0`, second.self);
  street.ownerSilent = false;
  while (first.edge.liveCalls() > 0) await phone.silence(20);
  assert.deepEqual(
    phone.heard.filter((one) => one.kind === 'request'),
    [],
    'dropped without a word',
  );
});

/** A TCP connection that the kernel gave to that edge. */
async function connectionTo(
  street: Street,
  wanted: number,
): Promise<{ socket: Socket; text(): string; until(what: RegExp): Promise<string> }> {
  street.kernel = undefined;
  for (;;) {
    const socket = connect(street.port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    const until = async (what: RegExp) => {
      for (const last = Date.now() + 20_000; !what.test(heard); await new Promise((done) => setTimeout(done, 5)))
        if (Date.now() > last) throw new Error(`no ${what} in\n${heard}`);
      return heard;
    };
    // OPTIONS outside a call leaves a server transaction only over UDP, so each edge tells by its own network.
    let at = -1;
    for (const [number, { network }] of street.edges.entries()) {
      const { request } = network;
      network.request = (message, arrival) => {
        if (message.callId === 'probe') at = number;
        request(message, arrival);
        network.request = request;
      };
    }
    socket.write(tcp('OPTIONS', { callId: 'probe' }));
    await until(/200 OK/);
    heard = '';
    if (at === wanted) return { socket, text: () => heard, until };
    socket.destroy();
  }
}

function tcp(method: string, { callId: id = 'call-1', toTag = '', cseq = 1, body = '', contact = 9 } = {}): string {
  return [
    `${method} sip:18005550100@127.0.0.1 SIP/2.0`,
    `Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKtcp${method === 'ACK' ? 'ack' : ''}${cseq}`,
    'From: <sip:alice@example.com>;tag=caller',
    `To: <sip:18005550100@example.com>${toTag && `;tag=${toTag}`}`,
    `Call-ID: ${id}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:alice@127.0.0.1:${contact};transport=tcp>`,
    ...(body ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

story(
  'over TCP a phone may go on by the other edge: answers and requests take its new connection',
  {},
  async (street) => {
    const first = await connectionTo(street, 0);
    first.socket.write(tcp('INVITE', { body: OFFER }));
    await street.fact('CallArrived');
    street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    await first.until(/SIP\/2.0 200 OK/);
    first.socket.write(tcp('ACK', { toTag: tag }));
    await street.fact('LegConfirmed');
    const second = await connectionTo(street, 1);
    first.socket.destroy();
    second.socket.write(tcp('OPTIONS', { toTag: tag, cseq: 2 }));
    await second.until(/CSeq: 2 OPTIONS/);
    street.ask(0, callId, { type: 'HangupRequested', leg: 0, ...end });
    const bye = await second.until(/^BYE /m);
    const fields = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map(
      (name) => new RegExp(`^${name}: .*$`, 'm').exec(bye.slice(bye.indexOf('BYE ')))![0],
    );
    second.socket.write(['SIP/2.0 200 OK', ...fields, 'Content-Length: 0', '', ''].join('\r\n'));
    assert.equal((await street.fact('LegEnded')).reason, 'bye');
    second.socket.destroy();
  },
);

async function lostOverTcp(street: Street, contact: number): Promise<void> {
  const first = await connectionTo(street, 0);
  first.socket.write(tcp('INVITE', { body: OFFER, contact }));
  await street.fact('CallArrived');
  street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  await first.until(/SIP\/2.0 200 OK/);
  first.socket.write(tcp('ACK', { toTag: tag, contact }));
  await street.fact('LegConfirmed');
  const { dialog } = await street.fact('LegAnswered');
  await street.kill(0);
  const none = { invite: '', transport: '', sourceAddress: '', answer: 0, answerSdp: '', target: '' };
  street.ask(1, callId, { type: 'AdoptRequested', leg: 0, ...none, accountId: 'demo', dialog });
  await street.fact('LegAdopted');
  street.ask(1, callId, { type: 'HangupRequested', leg: 0, ...end });
}

story('an adopted dialog over TCP opens a connection to its Contact', {}, async (street) => {
  let heard = '';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk;
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  await lostOverTcp(street, (server.address() as { port: number }).port);
  while (!heard.includes('BYE ')) await new Promise((done) => setTimeout(done, 5));
  server.close();
});

story('… and is over where none can be had', {}, async (street) => {
  await lostOverTcp(street, 9);
  assert.equal((await street.fact('LegEnded')).reason, 'transport');
});

story('… unless the phone comes back first: then its new connection carries our requests', {}, async (street) => {
  const first = await connectionTo(street, 0);
  first.socket.write(tcp('INVITE', { body: OFFER }));
  await street.fact('CallArrived');
  street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  await first.until(/SIP\/2.0 200 OK/);
  first.socket.write(tcp('ACK', { toTag: tag }));
  await street.fact('LegConfirmed');
  const { dialog } = await street.fact('LegAnswered');
  await street.kill(0);
  const none = { invite: '', transport: '', sourceAddress: '', answer: 0, answerSdp: '', target: '' };
  street.ask(1, callId, { type: 'AdoptRequested', leg: 0, ...none, accountId: 'demo', dialog });
  await street.fact('LegAdopted');
  const second = await connectionTo(street, 1);
  second.socket.write(tcp('OPTIONS', { toTag: tag, cseq: 2 }));
  await second.until(/CSeq: 2 OPTIONS/);
  street.ask(1, callId, { type: 'HangupRequested', leg: 0, ...end });
  await second.until(/^BYE /m);
  second.socket.destroy();
});

story('a phone whose leg ended while its edge slept hears BYE over its connection', {}, async (street) => {
  const { socket, until } = await connectionTo(street, 0);
  socket.write(tcp('INVITE', { body: OFFER }));
  await street.fact('CallArrived');
  street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  await until(/SIP\/2.0 200 OK/);
  socket.write(tcp('ACK', { toTag: tag }));
  await street.fact('LegConfirmed');
  street.holders.set(`${callId}/0`, undefined);
  street.edges[0]!.suspendedMs = 60_000;
  await until(/^BYE /m);
  assert.equal(street.edges[0]!.edge.liveCalls(), 0);
  socket.destroy();
});

story('an unanswered call over TCP died with its edge', {}, async (street) => {
  const first = await connectionTo(street, 0);
  first.socket.write(tcp('INVITE', { body: OFFER }));
  const { invite, transport, sourceAddress, accountId } = await street.fact('CallArrived');
  await street.kill(0);
  const text = Buffer.from(invite).toString('latin1');
  const adopt = { type: 'AdoptRequested', leg: 0, invite: text, transport, sourceAddress, accountId } as const;
  street.ask(1, callId, { ...adopt, answer: 0, answerSdp: '', target: '' });
  const ended = await street.fact('LegEnded');
  assert.deepEqual([ended.by, ended.reason], ['us', 'transport']);
});
