// An edge dies and another goes on with its legs: what phones see, byte for byte, and what the story is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchOf, callIdOfInvite, cseqOf, type FactOf, localTag } from '@opentact/proto';
import type { SipRequest } from '../stack/message/message.ts';
import { parseMessage } from '../stack/message/parse.ts';
import { SECRET } from '../testing/house.ts';
import { OFFER, type Phone } from '../testing/phone.ts';
import { openStreet, type Street } from '../testing/street.ts';

const ANSWER = OFFER.replace('4000', '5000');
const callId = callIdOfInvite(SECRET, 'call-1', 'caller', 1);
const tag = localTag(SECRET, callId, 0);
const sdp = { type: 'application/sdp', bytes: Buffer.from(OFFER) };
const end = { status: 0, q850: 16, reason: 'done', owner: 'us' };
const at = (phone: Phone) => `sip:bob@127.0.0.1:${phone.port}`;

function story(name: string, options: { hurry?: number }, run: (street: Street) => Promise<void>): void {
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

type Adopt = FactOf<'AdoptRequested'>;

/** What the owner knows of leg 0, as it asks another edge to hold it. */
async function adoptionOf(street: Street, over: Partial<Adopt>): Promise<Adopt> {
  const { invite, transport, sourceAddress, accountId } = await street.fact('CallArrived');
  const known = {
    type: 'AdoptRequested',
    leg: 0,
    invite: Buffer.from(invite).toString('latin1'),
    transport,
    sourceAddress,
  } as const;
  return { ...known, answer: 0, answerSdp: '', accountId, target: '', ...over };
}

const CONFIRMED = { invite: '', transport: '', sourceAddress: '' };

/** Edge 0 is killed; everything reaches edge 1 from here on. */
async function lose(street: Street): Promise<void> {
  await street.kill(0);
  street.kernel = 1;
}

/** Answered by edge 0, and confirmed where wanted. @returns the AnswerRequested's number. */
async function answered(street: Street, confirm = true): Promise<number> {
  street.phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKfirst' });
  await street.fact('CallArrived');
  const asked = street.ask(0, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  await street.phone.status(200);
  if (!confirm) return asked;
  street.phone.request('ACK', { toTag: tag });
  await street.fact('LegConfirmed');
  return asked;
}

const isOk = (one: Phone['heard'][number]) => one.kind === 'response' && one.status === 200;

story(
  'an unanswered call is answered by the edge that adopts it, and a repeated INVITE finds it',
  {},
  async (street) => {
    const { phone } = street;
    const invite = phone.request('INVITE', { body: OFFER });
    await street.fact('CallArrived');
    await lose(street);
    const asked = street.ask(1, callId, await adoptionOf(street, {}));
    assert.equal((await street.fact('LegAdopted')).requestId, asked);
    const before = street.told.length;
    phone.send(invite);
    await phone.silence(30);
    assert.equal(street.told.length, before, 'a repetition is no new call');
    street.ask(1, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    const ok = await phone.status(200);
    assert.equal(ok.body.toString(), ANSWER);
    assert.equal(ok.headers.get('x-opentact-call-id'), callId);
    phone.request('ACK', { toTag: tag });
    assert.equal((await street.fact('LegConfirmed')).edge, 1);
    phone.request('BYE', { toTag: tag, cseq: 2 });
    await phone.status(200, 'BYE');
    assert.equal((await street.fact('LegEnded')).reason, 'bye');
  },
);

story('a CANCEL finds the adopted INVITE', {}, async (street) => {
  const { phone } = street;
  phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKx' });
  await street.fact('CallArrived');
  await lose(street);
  street.ask(1, callId, await adoptionOf(street, {}));
  await street.fact('LegAdopted');
  phone.request('CANCEL', { branch: 'z9hG4bKx' });
  await phone.status(487);
  const ended = await street.fact('LegEnded');
  assert.deepEqual([ended.reason, ended.edge], ['cancelled', 1]);
});

story('a CANCEL that comes before the adoption waits for it', {}, async (street) => {
  const { phone, holders } = street;
  phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKx' });
  await street.fact('CallArrived');
  await lose(street);
  holders.set(`${callId}/0`, undefined);
  phone.request('CANCEL', { branch: 'z9hG4bKx' });
  await phone.silence(150);
  street.ask(1, callId, await adoptionOf(street, {}));
  await phone.status(487);
  assert.equal((await street.fact('LegEnded')).reason, 'cancelled');
});

story('an answer without its ACK goes out again, byte for byte, until the ACK comes', { hurry: 5 }, async (street) => {
  const { phone } = street;
  const answer = await answered(street, false);
  const { dialog } = await street.fact('LegAnswered');
  const first = (await phone.status(200)).raw;
  await lose(street);
  const before = phone.heard.length;
  street.ask(1, callId, await adoptionOf(street, { answer, answerSdp: ANSWER, dialog }));
  await street.fact('LegAdopted');
  await phone.silence(350);
  const again = phone.heard.slice(before).filter(isOk);
  assert.ok(again.length >= 2, `${again.length} copies`);
  for (const one of again) assert.deepEqual(one.raw, first);
  phone.request('ACK', { toTag: tag });
  assert.equal((await street.fact('LegConfirmed')).edge, 1);
  const quiet = phone.heard.length;
  await phone.silence(250);
  assert.equal(phone.heard.length, quiet);
});

story('a confirmed call goes on: the phone is asked, may hang up, and is hung up', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  const { dialog } = await street.fact('LegAnswered');
  await lose(street);
  const seq = street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }), 40);
  await street.fact('LegAdopted');
  const options = await phone.incoming('OPTIONS');
  assert.equal(options.cseq.number, cseqOf(seq, 0));
  assert.equal(options.from.params.find(({ name }) => name === 'tag')?.value, tag);
  phone.respond(options, 200);
  const offer = street.ask(1, callId, { type: 'OfferRequested', leg: 0, sdp: ANSWER });
  const invite = await phone.incoming('INVITE');
  assert.equal(invite.cseq.number, cseqOf(offer, 0));
  phone.respond(invite, 200, { body: sdp });
  assert.equal((await street.fact('OfferAccepted')).sdp, OFFER);
  phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
  const { transaction } = await street.fact('OfferReceived');
  street.ask(1, callId, { type: 'OfferAnswerRequested', leg: 0, sdp: ANSWER, status: 0, transaction });
  await phone.status(200, 'INVITE');
  phone.request('ACK', { toTag: tag, cseq: 2 });
  await phone.silence(20);
  street.ask(1, callId, { type: 'HangupRequested', leg: 0, ...end });
  phone.respond(await phone.incoming('BYE'), 200);
  assert.deepEqual([(await street.fact('LegEnded')).by, street.edges[1]!.edge.liveCalls()], ['us', 0]);
});

for (const [said, hurry] of [
  [481, 1],
  [0, 50],
] as const)
  story(
    `a phone that ${said ? `says ${said}` : 'says nothing'} has no such call any more`,
    { hurry },
    async (street) => {
      const { phone } = street;
      await answered(street);
      const { dialog } = await street.fact('LegAnswered');
      await lose(street);
      street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }));
      if (said) phone.respond(await phone.incoming('OPTIONS'), said);
      const { by, reason } = await street.fact('LegEnded');
      assert.deepEqual([by, reason], ['peer', 'no-dialog']);
    },
  );

/** Leg 1, dialled by edge 0. */
async function dialling(
  street: Street,
  bob: Phone,
): Promise<{ seq: number; ask: FactOf<'DialRequested'>; invite: SipRequest }> {
  await answered(street);
  const ask = {
    type: 'DialRequested',
    leg: 1,
    target: at(bob),
    accountId: 'demo',
    fromUser: 'alice',
    sdp: OFFER,
  } as const;
  const seq = street.ask(0, callId, ask);
  return { seq, ask, invite: await bob.incoming('INVITE') };
}

story(
  'a dialled leg that was answered is held, hung up, and its repeated 200 is acknowledged as before',
  {},
  async (street) => {
    const bob = await street.another();
    const { invite } = await dialling(street, bob);
    bob.respond(invite, 200, { body: sdp });
    const ack = await bob.incoming('ACK');
    const { dialog } = await street.fact('LegAnswered', 2);
    await lose(street);
    street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, leg: 1, dialog, target: at(bob) }));
    bob.respond(await bob.incoming('OPTIONS'), 200);
    bob.respond(invite, 200, { body: sdp });
    assert.deepEqual((await bob.incoming('ACK', 2)).raw, ack.raw);
    street.ask(1, callId, { type: 'HangupRequested', leg: 1, ...end });
    bob.respond(await bob.incoming('BYE'), 200);
    assert.deepEqual([(await street.fact('LegEnded')).leg, (await street.fact('LegEnded')).by], [1, 'us']);
  },
);

story('a dial asked again sends the same INVITE, byte for byte, and takes the answer', {}, async (street) => {
  const bob = await street.another();
  const { invite, seq, ask } = await dialling(street, bob);
  bob.respond(invite, 180);
  await street.fact('LegRang');
  await lose(street);
  street.ask(1, callId, ask, seq);
  const again = await bob.incoming('INVITE', 2);
  assert.deepEqual(again.raw, invite.raw);
  bob.respond(again, 200, { body: sdp });
  const answer = await street.fact('LegAnswered', 2);
  assert.deepEqual([answer.edge, answer.requestId, answer.sdp], [1, seq, OFFER]);
  await bob.incoming('ACK');
});

story('a dial asked again and given up at once is cancelled, since the phone may be ringing', {}, async (street) => {
  const bob = await street.another();
  const { invite, seq, ask } = await dialling(street, bob);
  bob.respond(invite, 180);
  await lose(street);
  street.ask(1, callId, ask, seq);
  street.ask(1, callId, { type: 'HangupRequested', leg: 1, ...end });
  bob.respond(await bob.incoming('INVITE', 2), 180);
  bob.respond(await bob.incoming('CANCEL'), 200);
  bob.respond(invite, 487);
  const failed = await street.fact('DialFailed');
  assert.deepEqual([failed.reason, failed.edge], ['cancelled', 1]);
});

story(
  'a carrier that had asked for proof: the same second INVITE, and its answers are taken even before it',
  {},
  async (street) => {
    const bob = await street.another();
    street.trunks.set('trunk-1', {
      ...{ trunk: 'trunk-1', host: '127.0.0.1', port: bob.port, transport: 'udp', user: 'us', password: 'secret' },
    });
    await answered(street);
    const ask = {
      type: 'DialRequested',
      leg: 1,
      target: 'tel:4711',
      accountId: 'demo',
      fromUser: 'alice',
      sdp: OFFER,
    } as const;
    const seq = street.ask(0, callId, ask);
    const challenge = {
      lines: [['WWW-Authenticate', 'Digest realm="x", nonce="n", qop="auth", algorithm=SHA-256'] as const],
    };
    bob.respond(await bob.incoming('INVITE'), 401, challenge);
    await bob.incoming('ACK');
    const proven = await bob.incoming('INVITE', 2);
    assert.ok(proven.headers.get('authorization'));
    bob.respond(proven, 180);
    await street.fact('LegRang');
    const { dialog } = await street.fact('LegAnswered');
    await lose(street);
    street.ask(1, callId, ask, seq);
    // No call of the account came in at this edge: the Directory is asked for its trunk.
    street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }));
    const again = await bob.incoming('INVITE', 3);
    assert.deepEqual(again.raw, (await bob.incoming('INVITE')).raw);
    bob.respond(again, 401, challenge);
    assert.deepEqual((await bob.incoming('INVITE', 4)).raw, proven.raw);
    bob.respond(proven, 200, { body: sdp });
    assert.equal((await street.fact('LegAnswered', 2)).edge, 1);
    assert.equal((await bob.incoming('ACK', 3)).cseq.number, cseqOf(seq, 1));
  },
);

story('an answer to the proven INVITE overtakes the one that is asked again', {}, async (street) => {
  const bob = await street.another();
  const { seq, ask, invite } = await dialling(street, bob);
  await lose(street);
  street.ask(1, callId, ask, seq);
  await bob.incoming('INVITE', 2);
  // As the edge before would have sent it under its next attempt.
  const later = invite.raw
    .toString('latin1')
    .replace(/branch=[^;]*/, `branch=${branchOf(SECRET, callId, seq, 1)}`)
    .replace(/CSeq: \d+/, `CSeq: ${cseqOf(seq, 1)}`);
  const proven = parseMessage(Buffer.from(later, 'latin1')) as SipRequest;
  bob.respond(proven, 180);
  assert.equal((await street.fact('LegRang')).edge, 1);
  bob.respond(proven, 200, { body: sdp });
  assert.equal((await street.fact('LegAnswered', 2)).requestId, seq);
  assert.equal((await bob.incoming('ACK')).cseq.number, cseqOf(seq, 1));
});

story(
  'a carrier that asks for proof of an adopted leg’s BYE gets it: its trunk is looked up again',
  {},
  async (street) => {
    const bob = await street.another();
    const trunk = {
      trunk: 'trunk-1',
      host: '127.0.0.1',
      port: bob.port,
      transport: 'udp',
      user: 'us',
      password: 'secret',
    };
    street.trunks.set('trunk-1', trunk);
    await answered(street);
    const target = 'tel:4711';
    street.ask(0, callId, { type: 'DialRequested', leg: 1, target, accountId: 'demo', fromUser: 'alice', sdp: OFFER });
    bob.respond(await bob.incoming('INVITE'), 200, { body: sdp });
    const [mine, theirs] = [await street.fact('LegAnswered'), await street.fact('LegAnswered', 2)];
    await lose(street);
    street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog: mine.dialog! }));
    street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, leg: 1, dialog: theirs.dialog!, target }));
    bob.respond(await bob.incoming('OPTIONS'), 401);
    street.ask(1, callId, { type: 'HangupRequested', leg: 1, ...end });
    const challenge = ['Proxy-Authenticate', 'Digest realm="x", nonce="n", qop="auth", algorithm=SHA-256'] as const;
    bob.respond(await bob.incoming('BYE'), 407, { lines: [challenge] });
    const proven = await bob.incoming('BYE', 2);
    assert.match(proven.headers.get('proxy-authorization')!, /username="us"/);
    bob.respond(proven, 200);
    assert.deepEqual([(await street.fact('LegEnded')).leg, (await street.fact('LegEnded')).reason], [1, 'bye']);
  },
);

story('an adopted call takes its account’s place, whatever the limit, and gives it back', {}, async (street) => {
  const { phone } = street;
  street.callsMax = 1;
  await answered(street);
  const { dialog } = await street.fact('LegAnswered');
  await lose(street);
  street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog: dialog! }));
  phone.request('INVITE', { callId: 'call-2', body: OFFER });
  assert.equal((await street.fact('CallArrived', 2)).refusal, 'call-limit');
  phone.request('BYE', { toTag: tag, cseq: 2 });
  await phone.status(200, 'BYE');
  phone.request('INVITE', { callId: 'call-3', body: OFFER });
  assert.equal((await street.fact('CallArrived', 3)).refusal, undefined);
});

story('an offer asked again is a retransmission', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  const { dialog } = await street.fact('LegAnswered');
  const offer = { type: 'OfferRequested', leg: 0, sdp: ANSWER } as const;
  const seq = street.ask(0, callId, offer);
  const first = await phone.incoming('INVITE');
  await lose(street);
  street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }));
  street.ask(1, callId, offer, seq);
  const again = await phone.incoming('INVITE', 2);
  assert.deepEqual(again.raw, first.raw);
  phone.respond(again, 200, { body: sdp });
  assert.deepEqual(
    [(await street.fact('OfferAccepted')).requestId, (await street.fact('OfferAccepted')).edge],
    [seq, 1],
  );
});

story('an offer asked again whose number the phone has passed goes on above it', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  const { dialog } = await street.fact('LegAnswered');
  const offer = { type: 'OfferRequested', leg: 0, sdp: ANSWER } as const;
  const seq = street.ask(0, callId, offer);
  await phone.incoming('INVITE');
  await lose(street);
  street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }));
  const options = await phone.incoming('OPTIONS');
  phone.respond(options, 200);
  street.ask(1, callId, offer, seq);
  for (let nth = 2; ; nth++) {
    const invite = await phone.incoming('INVITE', nth);
    const isPassed = invite.cseq.number <= options.cseq.number;
    phone.respond(invite, isPassed ? 500 : 200, isPassed ? {} : { body: sdp });
    if (isPassed) continue;
    assert.equal((await street.fact('OfferAccepted')).requestId, seq);
    const acks = () => phone.heard.filter((one) => one.kind === 'request' && one.method === 'ACK');
    while (acks().at(-1)?.cseq.number !== invite.cseq.number) await phone.silence(10);
    break;
  }
  street.ask(1, callId, { type: 'HangupRequested', leg: 0, ...end });
  assert.ok((await phone.incoming('BYE')).cseq.number > options.cseq.number + 15);
});

story('an adopted call may dial only so often while its account’s limits are unknown', {}, async (street) => {
  await answered(street);
  const { dialog } = await street.fact('LegAnswered');
  await lose(street);
  street.directoryAway = true;
  street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog: dialog! }));
  const dialled = {
    type: 'DialRequested',
    target: at(street.phone),
    accountId: 'demo',
    fromUser: 'a',
    sdp: OFFER,
  } as const;
  for (let leg = 1; leg <= 61; leg++) street.ask(1, callId, { ...dialled, leg });
  const failed = await street.fact('DialFailed');
  assert.deepEqual([failed.leg, failed.reason], [61, 'dial-limit']);
});

story('a re-INVITE that the lost edge had told of is told of again, under the same name', {}, async (street) => {
  const { phone } = street;
  await answered(street);
  const { dialog } = await street.fact('LegAnswered');
  const offer = phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
  const first = await street.fact('OfferReceived');
  await lose(street);
  street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog: first.dialog ?? dialog }));
  phone.send(offer);
  const again = await street.fact('OfferReceived', 2);
  assert.deepEqual([again.transaction, again.edge], [first.transaction, 1]);
  street.ask(1, callId, {
    type: 'OfferAnswerRequested',
    leg: 0,
    sdp: ANSWER,
    status: 0,
    transaction: again.transaction,
  });
  assert.equal((await street.phone.status(200, 'INVITE')).kind, 'response');
});

story('what can’t be held is over: no dialog, a broken INVITE, a leg that ended here', {}, async (street) => {
  await answered(street);
  await lose(street);
  const none = { ...CONFIRMED, leg: 7 };
  street.ask(1, callId, await adoptionOf(street, none));
  street.ask(1, callId, await adoptionOf(street, { leg: 8, invite: 'nonsense' }));
  assert.deepEqual([(await street.fact('LegEnded')).leg, (await street.fact('LegEnded', 2)).leg], [7, 8]);
  assert.deepEqual([(await street.fact('LegEnded')).reason, (await street.fact('LegEnded')).by], ['no-dialog', 'us']);
});

story(
  'an adoption asked twice is answered twice and done once; the account counts its call once',
  {},
  async (street) => {
    const { phone } = street;
    await answered(street);
    const { dialog } = await street.fact('LegAnswered');
    await lose(street);
    street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }));
    street.ask(1, callId, await adoptionOf(street, { ...CONFIRMED, dialog }));
    await street.fact('LegAdopted', 2);
    assert.equal(street.edges[1]!.edge.liveCalls(), 1);
    phone.request('BYE', { toTag: tag, cseq: 2 });
    await phone.status(200, 'BYE');
    assert.equal(street.edges[1]!.edge.liveCalls(), 0);
  },
);
