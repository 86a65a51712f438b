// A caller hears us before the answer: 183 with our SDP, over real sockets, with a fake engine behind the port.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callIdOfInvite, type Decided, localTag } from '@opentact/proto';
import { textParamOf } from '../stack/message/params.ts';
import { type House, openHouse, SECRET } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';
import { openStreet } from '../testing/street.ts';

const ANSWER = OFFER.replace('4000', '5000');
const EARLY: Decided = { type: 'RingRequested', leg: 0, sdp: ANSWER };
const RING: Decided = { type: 'RingRequested', leg: 0, sdp: '' };
const callId = callIdOfInvite(SECRET, 'call-1', 'caller', 1);
const tag = localTag(SECRET, callId, 0);

function early(name: string, run: (house: House) => Promise<void>): void {
  test(name, { timeout: 10_000 }, async () => {
    const house = await openHouse();
    house.engine.react = (fact, _, ask) => {
      if (fact.type === 'CallArrived') ask(EARLY);
    };
    try {
      house.phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKearly' });
      await house.engine.fact('LegRang');
      await run(house);
    } finally {
      await house.close();
    }
  });
}

early('the caller hears us by 183, and the same SDP comes with the 200', async ({ engine, phone }) => {
  const progress = await phone.status(183);
  assert.equal(progress.body.toString(), ANSWER);
  assert.equal(progress.headers.get('content-type'), 'application/sdp');
  assert.equal(progress.headers.get('x-opentact-call-id'), callId);
  assert.equal(textParamOf(progress.to.params, 'tag'), tag);
  assert.match(progress.headers.get('contact')!, new RegExp(`^<sip:${tag}@127.0.0.1:`));
  assert.equal((await engine.fact('LegRang')).status, 183);
  engine.ask(callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  const ok = await phone.status(200);
  assert.equal(ok.body.toString(), ANSWER);
  assert.equal(textParamOf(ok.to.params, 'tag'), tag);
  phone.request('ACK', { toTag: tag });
  await engine.fact('LegConfirmed');
  assert.deepEqual(engine.types(), ['CallArrived', 'LegRang', 'LegAnswered', 'LegConfirmed']);
});

early('asked again it says nothing new to the phone, and answers again', async ({ engine, phone, edge }) => {
  await phone.status(183);
  const before = phone.heard.length;
  const { requestId } = await engine.fact('LegRang');
  // The fake engine numbers anew; the same number again is what an owner sends that had no answer.
  engine.askAgain(callId, EARLY, requestId);
  assert.deepEqual(await engine.fact('LegRang', 2), await engine.fact('LegRang'));
  await phone.silence(30);
  assert.equal(phone.heard.length, before);
  assert.equal(edge.liveCalls(), 1);
});

early('a Dial that follows rings: 180 without SDP, and the early media stays as it is', async ({ engine, phone }) => {
  engine.ask(callId, RING);
  const ringing = await phone.status(180);
  assert.equal(ringing.body.length, 0);
  assert.equal(textParamOf(ringing.to.params, 'tag'), tag);
  assert.deepEqual([(await engine.fact('LegRang')).status, (await engine.fact('LegRang', 2)).status], [183, 180]);
});

early('a caller who repeats the INVITE hears the 183 again', async ({ phone }) => {
  await phone.status(183);
  phone.request('INVITE', { body: OFFER, branch: 'z9hG4bKearly' });
  await phone.silence(50);
  const heard = phone.heard.filter((one) => one.kind === 'response' && one.status === 183);
  assert.equal(heard.length, 2);
  assert.deepEqual(heard[0]!.raw, heard[1]!.raw);
});

early('a caller who gives up while hearing us is told 487, and the leg is over', async ({ engine, phone }) => {
  await phone.status(183);
  phone.request('CANCEL', { branch: 'z9hG4bKearly' });
  await phone.status(487);
  assert.equal((await engine.fact('LegEnded')).reason, 'cancelled');
  engine.ask(callId, EARLY);
  await phone.silence(30);
  assert.equal(engine.types().filter((type) => type === 'LegRang').length, 1);
});

test('an edge that adopts a ringing leg says 183 as the lost one would have', { timeout: 10_000 }, async () => {
  const street = await openStreet();
  street.kernel = 0;
  try {
    street.phone.request('INVITE', { body: OFFER });
    const { invite, transport, sourceAddress, accountId } = await street.fact('CallArrived');
    await street.kill(0);
    street.kernel = 1;
    const asked = street.ask(0, callId, EARLY);
    const known = { invite: Buffer.from(invite).toString('latin1'), transport, sourceAddress, accountId };
    street.ask(1, callId, { type: 'AdoptRequested', leg: 0, ...known, answer: 0, answerSdp: '', target: '' });
    await street.fact('LegAdopted');
    street.ask(1, callId, EARLY, asked);
    const progress = await street.phone.status(183);
    assert.equal(progress.body.toString(), ANSWER);
    assert.equal(textParamOf(progress.to.params, 'tag'), tag);
    const rang = await street.fact('LegRang');
    assert.deepEqual([rang.requestId, rang.status, rang.edge], [asked, 183, 1]);
    street.ask(1, callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    assert.equal((await street.phone.status(200)).body.toString(), ANSWER);
    street.phone.request('ACK', { toTag: tag });
    await street.fact('LegConfirmed');
  } finally {
    await street.close();
  }
});
