// Which description is the answer, what a caller without one gets, keys by INFO, and what is said once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTag } from '@opentact/proto';
import { type House, openHouse, SECRET } from '../testing/house.ts';
import { OFFER, type Phone } from '../testing/phone.ts';
import { keyOf } from '../uas/info.ts';

const callId = '00000000-0000-8000-8000-000000000001';
const sdp = (text: string) => ({ type: 'application/sdp', bytes: Buffer.from(text) });
const OTHER = OFFER.replace('4000', '4002');
const inHouse = (name: string, run: (house: House) => Promise<void>, options = {}) =>
  test(name, async () => {
    const house = await openHouse(options);
    try {
      await run(house);
    } finally {
      await house.close();
    }
  });
const dial = ({ engine, phone }: House) =>
  engine.ask(callId, {
    ...{ type: 'DialRequested', leg: 1, target: `sip:bob@127.0.0.1:${phone.port}`, accountId: 'demo', fromUser: '1' },
    sdp: OFFER,
  });

for (const status of [180, 183]) {
  inHouse(`the description of a ${status} is the answer, also where the 200 has none or another`, async (house) => {
    for (const [n, last] of [undefined, sdp(OTHER)].entries()) {
      house.engine.ask(callId.replace(/1$/, String(n + 1)), {
        ...{ type: 'DialRequested', leg: 1, target: `sip:bob@127.0.0.1:${house.phone.port}`, accountId: 'demo' },
        ...{ fromUser: '1', sdp: OFFER },
      });
      const invite = await house.phone.incoming('INVITE', n + 1);
      house.phone.respond(invite, 180);
      house.phone.respond(invite, status, { body: sdp(OFFER) });
      house.phone.respond(invite, 200, last ? { body: last } : {});
      assert.equal((await house.engine.fact('LegAnswered', n + 1)).sdp, OFFER);
    }
    const rang = house.engine.facts(callId).flatMap((fact) => (fact.type === 'LegRang' ? [fact.sdp] : []));
    assert.deepEqual(rang, [undefined, OFFER]);
  });
}

inHouse('a description of one fork is not the answer of another', async (house) => {
  dial(house);
  const invite = await house.phone.incoming('INVITE');
  house.phone.respond(invite, 183, { body: sdp(OTHER), toTag: 'one' });
  house.phone.respond(invite, 200, { body: sdp(OFFER), toTag: 'two' });
  assert.equal((await house.engine.fact('LegAnswered')).sdp, OFFER);
});

/** A call that came in and was answered; acknowledged with that body. */
async function answered({ phone, engine }: House, offer: string, ack: string) {
  phone.request('INVITE', { body: offer });
  const arrived = await engine.fact('CallArrived');
  engine.ask(arrived.callId, { type: 'AnswerRequested', leg: 0, sdp: OFFER });
  await phone.status(200, 'INVITE');
  const toTag = localTag(SECRET, arrived.callId, 0);
  phone.request('ACK', { toTag, body: ack });
  return toTag;
}

inHouse('an ACK that owes an answer and brings none ends the call at once', async (house) => {
  await answered(house, '', '');
  const bye = await house.phone.incoming('BYE');
  assert.match(bye.headers.get('reason')!, /cause=88/);
  assert.equal((await house.engine.fact('LegEnded')).reason, 'bad-sdp');
  assert.ok(!house.engine.types().includes('LegConfirmed'));
});

const infoOf = (phone: Phone, toTag: string, cseq: number, type: string, text: string) => {
  const options = { toTag, cseq, branch: `z9hG4bKinfo${cseq}`, body: text };
  const whole = phone.request('OPTIONS', { ...options, toTag: 'nobody' });
  const info = whole.replaceAll('OPTIONS', 'INFO').replace('nobody', toTag).replace('application/sdp', type);
  phone.send(info);
  phone.send(info);
};

inHouse('a key by INFO counts once', async (house) => {
  const { phone, engine } = house;
  const toTag = await answered(house, OFFER, '');
  infoOf(phone, toTag, 2, 'application/dtmf-relay', 'Signal= 5\r\nDuration= 240\r\n');
  await phone.status(200, 'INFO');
  infoOf(phone, toTag, 3, 'application/dtmf', '11');
  await engine.fact('DigitPressed', 2);
  infoOf(phone, toTag, 4, 'text/plain', 'x');
  await phone.status(415, 'INFO');
  const keys = engine.facts().flatMap((fact) => (fact.type === 'DigitPressed' ? [fact] : []));
  assert.deepEqual(
    keys.map(({ digit, durationMs, way, leg }) => [digit, durationMs, way, leg]),
    [
      ['5', 240, 'info', 0],
      ['#', 160, 'info', 0],
    ],
  );
});

for (const [body, digit] of [
  ['Signal=1\nDuration=100', '1'],
  ['signal = *', '*'],
  ['Signal=10', '*'],
  ['Signal=12\r\n', 'A'],
  ['d', 'D'],
  ['Signal=16', undefined],
  ['Signal=!', undefined],
  ['', undefined],
] as const)
  test(`INFO ${JSON.stringify(body)} is ${digit}`, () => assert.equal(keyOf(body)?.digit, digit));

inHouse('100 is said once, however slow the log is', async ({ phone, engine }) => {
  engine.react = () => {};
  phone.request('INVITE', { body: OFFER });
  await engine.fact('CallArrived');
  await phone.silence(400);
  assert.equal(phone.heard.filter((one) => one.kind === 'response' && one.status === 100).length, 1);
});

inHouse('a CANCEL of nothing is 481 at once', async ({ phone }) => {
  phone.request('CANCEL', { callId: 'nothing' });
  // The next message is answered behind it.
  phone.request('OPTIONS', { callId: 'next' });
  await phone.status(200, 'OPTIONS');
  assert.deepEqual(
    phone.heard.map(({ cseq }) => cseq.method),
    ['CANCEL', 'OPTIONS'],
  );
});
