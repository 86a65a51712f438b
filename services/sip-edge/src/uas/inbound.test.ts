// Calls that come in, over real sockets, with a fake engine behind the port.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { callIdOfInvite, localTag } from '@opentact/proto';
import { refusedForLoad } from '../admission/overload.ts';
import { textParamOf } from '../stack/message/params.ts';
import { type House, openHouse, ROUTE, SECRET } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

const ANSWER = OFFER.replace('4000', '5000');

function inHouse(options: Parameters<typeof openHouse>[0], run: (house: House) => Promise<void>) {
  return async () => {
    const house = await openHouse(options);
    try {
      await run(house);
    } finally {
      await house.close();
    }
  };
}

const callId = callIdOfInvite(SECRET, 'call-1', 'caller', 1);
const tag = localTag(SECRET, callId, 0);

/** A call that the engine answers at once, up to its ACK. */
async function answered({ engine, phone }: House): Promise<number> {
  let asked = 0;
  engine.react = (fact, _, ask) => {
    if (fact.type === 'CallArrived') asked = ask({ type: 'AnswerRequested', leg: 0, sdp: ANSWER });
  };
  phone.request('INVITE', { body: OFFER });
  await phone.status(200);
  phone.request('ACK', { toTag: tag });
  await engine.fact('LegConfirmed');
  return asked;
}

test(
  'a call rings, is answered, confirmed and ended by the caller',
  inHouse({}, async ({ engine, phone }) => {
    engine.react = (fact, _, ask) => {
      if (fact.type === 'CallArrived') ask({ type: 'RingRequested', leg: 0, sdp: '' });
      if (fact.type === 'LegRang') ask({ type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    };
    phone.request('INVITE', { body: OFFER });
    const ok = await phone.status(200);
    assert.equal(ok.body.toString(), ANSWER);
    assert.equal(textParamOf(ok.to.params, 'tag'), tag);
    assert.match(ok.headers.get('contact')!, new RegExp(`^<sip:${tag}@127.0.0.1:`));
    for (const response of phone.heard) assert.equal(response.headers.get('x-opentact-call-id'), callId);
    phone.request('ACK', { toTag: tag });
    await engine.fact('LegConfirmed');
    phone.request('BYE', { toTag: tag, cseq: 2, lines: ['Reason: Q.850;cause=17'] });
    await phone.status(200, 'BYE');
    assert.deepEqual(engine.types(), ['CallArrived', 'LegRang', 'LegAnswered', 'LegConfirmed', 'LegEnded']);
    const arrived = await engine.fact('CallArrived');
    assert.equal(arrived.toNumber, '18005550100');
    assert.equal(arrived.fromNumber, 'alice');
    assert.equal(arrived.sdp, OFFER);
    assert.equal(arrived.localTag, tag);
    assert.equal(arrived.sourceAddress, `127.0.0.1:${phone.port}`);
    assert.match(Buffer.from(arrived.invite).toString(), /^INVITE sip:18005550100@/);
    assert.deepEqual(await engine.fact('LegEnded'), {
      ...{ type: 'LegEnded', callId, leg: 0, by: 'peer', status: 0, q850: 17, reason: 'bye' },
    });
  }),
);

test(
  'an unknown number is 404 and begins no story',
  inHouse({}, async ({ engine, phone }) => {
    phone.request('INVITE', { uri: 'sip:999@127.0.0.1', body: OFFER });
    assert.equal(
      (await phone.status(404)).headers.get('x-opentact-call-id'),
      callIdOfInvite(SECRET, 'call-1', 'caller', 1),
    );
    assert.deepEqual(engine.types(), []);
  }),
);

test(
  'a screened caller begins a story that only ends',
  inHouse({}, async ({ engine, phone, routes }) => {
    routes.set('18005550100', { ...ROUTE, refusal: 'screened' });
    engine.react = (fact, _, ask) => {
      const end = { status: 403, q850: 21, reason: 'screened', owner: 'us' };
      if (fact.type === 'CallArrived' && fact.refusal) ask({ type: 'HangupRequested', leg: 0, ...end });
    };
    phone.request('INVITE', { body: OFFER });
    assert.equal((await phone.status(403)).headers.get('reason'), 'Q.850;cause=21');
    const ended = await engine.fact('LegEnded');
    assert.deepEqual([ended.by, ended.status, ended.q850, ended.reason], ['us', 403, 21, 'rejected']);
  }),
);

test(
  'an account has only so many calls at once',
  inHouse({}, async (house) => {
    house.routes.set('18005550100', { ...ROUTE, callsMax: 1 });
    await answered(house);
    house.phone.request('INVITE', { callId: 'call-2', body: OFFER });
    const second = await house.engine.fact('CallArrived', 2);
    assert.equal(second.refusal, 'call-limit');
  }),
);

test(
  'no owner within two seconds: 503 with Retry-After',
  inHouse({ hurry: 20 }, async ({ engine, phone }) => {
    engine.away = true;
    phone.request('INVITE', { body: OFFER });
    assert.ok((await phone.status(503)).headers.get('retry-after'));
  }),
);

test(
  'a Directory that is away and remembers nothing: 503',
  inHouse({}, async ({ settings, phone }) => {
    settings.directoryAway = true;
    phone.request('INVITE', { body: OFFER });
    assert.ok((await phone.status(503)).headers.get('retry-after'));
  }),
);

test('the later the event loop, the more new calls are refused; a repetition of one is judged as the first was', () => {
  const refused = (loopDelayP99Ms: number) =>
    Array.from({ length: 100 }, (_, n) =>
      refusedForLoad(
        {
          ...{ draining: false, loopDelayP99Ms, pendingFacts: 0 },
          ...{ storeFull: false, transactionsFull: false, setupsFull: false },
        },
        () => n / 100,
      ),
    ).filter(Boolean).length;
  assert.deepEqual([0, 100, 150, 200, 295, 301].map(refused), [0, 0, 25, 50, 98, 100]);
});

test(
  'too much to do: 503 before anything is kept, while calls in progress go on',
  inHouse({}, async (house) => {
    await answered(house);
    house.settings.loopDelayMs = 300;
    const before = house.edge.transactions();
    house.phone.request('INVITE', { callId: 'call-2', body: OFFER });
    const refused = await house.phone.status(503);
    assert.ok(refused.headers.get('retry-after') && refused.headers.get('x-opentact-call-id'));
    assert.match(refused.headers.get('reason') ?? '', /^Q\.850;cause=42\b/);
    assert.equal(house.edge.transactions(), before);
    house.settings.loopDelayMs = 0;
    house.engine.pending = 500;
    house.phone.request('INVITE', { callId: 'call-3', body: OFFER });
    house.phone.request('BYE', { toTag: tag, cseq: 2 });
    await house.phone.status(200, 'BYE');
    assert.equal(house.engine.types().filter((type) => type === 'CallArrived').length, 1);
  }),
);

test(
  'a caller who cancels first is never answered',
  inHouse({}, async ({ engine, phone }) => {
    phone.request('INVITE', { branch: 'z9hG4bKrace', body: OFFER });
    await engine.fact('CallArrived');
    phone.request('CANCEL', { branch: 'z9hG4bKrace' });
    await phone.status(487);
    await phone.status(200, 'CANCEL');
    const asked = engine.ask(callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    assert.deepEqual(engine.facts().slice(1), [
      { type: 'LegEnded', leg: 0, by: 'peer', status: 487, q850: 16, reason: 'cancelled' },
      { type: 'AnswerFailed', requestId: asked, leg: 0, reason: 'cancelled' },
    ]);
  }),
);

test(
  'a caller who never acknowledges our answer is hung up after 64·T1',
  inHouse({ hurry: 400 }, async (house) => {
    // It acknowledged another answer before.
    await answered(house);
    house.phone.heard.length = 0;
    house.phone.request('INVITE', { callId: 'call-2', branch: 'z9hG4bKtwo', body: OFFER });
    const bye = await house.phone.incoming('BYE');
    assert.equal(bye.cseq.number % 16, 15);
    assert.equal((await house.engine.fact('LegEnded')).reason, 'no-ack');
    assert.ok(house.phone.heard.filter((one) => one.kind === 'response' && one.status === 200).length > 5);
  }),
);

test(
  'the flow hangs up: BYE, but not before the ACK',
  inHouse({}, async ({ engine, phone }) => {
    engine.react = (fact, _, ask) => {
      if (fact.type !== 'CallArrived') return;
      ask({ type: 'AnswerRequested', leg: 0, sdp: ANSWER });
      const end = { status: 0, q850: 16, reason: 'done', owner: 'document' };
      ask({ type: 'HangupRequested', leg: 0, ...end });
    };
    phone.request('INVITE', { body: OFFER });
    await phone.status(200);
    assert.equal(await phone.silence(100), 0);
    phone.request('ACK', { toTag: tag });
    const bye = await phone.incoming('BYE');
    assert.deepEqual([bye.cseq.number, textParamOf(bye.to.params, 'tag')], [16 * 4, 'caller']);
    phone.respond(bye, 200);
    const ended = await engine.fact('LegEnded');
    assert.deepEqual([ended.by, ended.reason], ['us', 'bye']);
    const end = { status: 0, q850: 16, reason: 'again', owner: 'us' };
    engine.ask(callId, { type: 'HangupRequested', leg: 0, ...end });
    assert.equal(engine.types().filter((type) => type === 'LegEnded').length, 1);
  }),
);

test(
  'the flow refuses: its status and its cause',
  inHouse({}, async ({ engine, phone }) => {
    engine.react = (fact, _, ask) => {
      const end = { status: 486, q850: 17, reason: 'busy', owner: 'document' };
      if (fact.type === 'CallArrived') ask({ type: 'HangupRequested', leg: 0, ...end });
    };
    phone.request('INVITE', { body: OFFER });
    assert.equal((await phone.status(486)).headers.get('reason'), 'Q.850;cause=17');
  }),
);

test(
  'the same call by another way is a loop',
  inHouse({}, async ({ engine, phone }) => {
    phone.request('INVITE', { body: OFFER });
    await engine.fact('CallArrived');
    phone.request('INVITE', { body: OFFER });
    assert.equal((await phone.status(482)).headers.get('x-opentact-call-id'), callId);
    assert.equal(engine.types().length, 1);
  }),
);

test(
  'an INVITE without an offer gets ours, and its answer comes with the ACK',
  inHouse({}, async ({ engine, phone }) => {
    engine.react = (fact, _, ask) => {
      if (fact.type === 'CallArrived') ask({ type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    };
    phone.request('INVITE');
    await phone.status(200);
    phone.request('ACK', { toTag: tag, body: OFFER });
    assert.equal((await engine.fact('LegConfirmed')).sdp, OFFER);
  }),
);

test(
  'what belongs to no call is 481; what nobody serves is 405 or 501',
  inHouse({}, async ({ phone }) => {
    phone.request('BYE', { toTag: tag });
    await phone.status(481, 'BYE');
    phone.request('INVITE', { toTag: tag, body: OFFER });
    assert.ok((await phone.status(481, 'INVITE')).headers.get('x-opentact-call-id'));
    phone.request('CANCEL');
    await phone.status(481, 'CANCEL');
    phone.request('REGISTER');
    assert.match((await phone.status(405, 'REGISTER')).headers.get('allow')!, /INVITE/);
    phone.request('FROBNICATE');
    await phone.status(501);
    phone.request('OPTIONS');
    await phone.status(200, 'OPTIONS');
  }),
);

test(
  'a draining edge says so and takes no calls, and ends with its last one',
  inHouse({}, async (house) => {
    await answered(house);
    const drained = house.edge.drain(5_000);
    house.phone.request('OPTIONS', { callId: 'o' });
    await house.phone.status(503, 'OPTIONS');
    house.phone.request('INVITE', { callId: 'call-2', body: OFFER });
    await house.phone.status(503, 'INVITE');
    house.phone.request('BYE', { toTag: tag, cseq: 2 });
    await house.phone.status(200, 'BYE');
    await drained;
  }),
);

test(
  'an engine that is away keeps no phone waiting for its BYE',
  inHouse({}, async (house) => {
    await answered(house);
    house.engine.away = true;
    const started = Date.now();
    house.phone.request('BYE', { toTag: tag, cseq: 2 });
    await house.phone.status(200, 'BYE');
    assert.ok(Date.now() - started >= 450);
  }),
);

test(
  'the caller’s new offer goes to the flow and its answer back',
  inHouse({}, async (house) => {
    const { engine, phone } = house;
    await answered(house);
    engine.react = (fact, _, ask) => {
      if (fact.type !== 'OfferReceived') return;
      ask({ type: 'OfferAnswerRequested', leg: 0, sdp: ANSWER, status: 200, transaction: fact.transaction });
    };
    phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
    await engine.fact('OfferAnswered');
    phone.request('ACK', { toTag: tag, cseq: 2 });
    engine.react = (fact, _, ask) => {
      if (fact.type !== 'OfferReceived') return;
      ask({ type: 'OfferAnswerRequested', leg: 0, sdp: '', status: 488, transaction: fact.transaction });
    };
    phone.request('INVITE', { toTag: tag, cseq: 3, body: OFFER });
    await phone.status(488);
    phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
    await phone.status(500);
  }),
);

test(
  'offers and keys by INFO that come too fast are refused, and the call goes on',
  inHouse({}, async (house) => {
    const { engine, phone } = house;
    await answered(house);
    const told = { OfferReceived: 0, DigitPressed: 0 };
    engine.react = (fact, _, ask) => {
      if (fact.type === 'DigitPressed') told.DigitPressed++;
      if (fact.type !== 'OfferReceived') return;
      told.OfferReceived++;
      ask({ type: 'OfferAnswerRequested', leg: 0, sdp: '', status: 488, transaction: fact.transaction });
    };
    for (let cseq = 2; cseq < 12; cseq++) {
      phone.request('INVITE', { toTag: tag, cseq, body: OFFER });
      await phone.status(cseq < 8 ? 488 : 500);
    }
    const first = phone.request('OPTIONS', { toTag: 'nobody', cseq: 20, body: 'Signal=5\r\n' });
    const info = first
      .replaceAll('OPTIONS', 'INFO')
      .replace('nobody', tag)
      .replace('application/sdp', 'application/dtmf-relay');
    for (let cseq = 21; cseq < 80; cseq++)
      phone.send(info.replace('CSeq: 20', `CSeq: ${cseq}`).replace(/branch=\w+/, `branch=z9hG4bKi${cseq}`));
    await phone.status(500, 'INFO');
    assert.deepEqual(
      [told.OfferReceived >= 6 && told.OfferReceived <= 8, told.DigitPressed >= 20 && told.DigitPressed <= 24],
      [true, true],
    );
    assert.equal(house.edge.liveCalls(), 1);
  }),
);

test(
  'no owner for a new offer within two seconds: 500 with Retry-After, and the call goes on',
  inHouse({ hurry: 20 }, async (house) => {
    await answered(house);
    house.engine.away = true;
    house.phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
    assert.ok((await house.phone.status(500)).headers.get('retry-after'));
    assert.equal(house.edge.liveCalls(), 1);
  }),
);

test(
  'two offers that cross: the phone gets 491, and ours is tried again',
  inHouse({ hurry: 20 }, async (house) => {
    const { engine, phone } = house;
    await answered(house);
    const asked = engine.ask(callId, { type: 'OfferRequested', leg: 0, sdp: ANSWER });
    const ours = await phone.incoming('INVITE');
    phone.request('INVITE', { toTag: tag, cseq: 2, body: OFFER });
    await phone.status(491);
    phone.respond(ours, 491);
    const again = await phone.incoming('INVITE', 2);
    assert.equal(again.cseq.number, 16 * asked + 1);
    phone.respond(again, 200, { body: { type: 'application/sdp', bytes: Buffer.from(OFFER) } });
    assert.equal((await phone.incoming('ACK', 2)).cseq.number, again.cseq.number);
    const { dialog, ...accepted } = await engine.fact('OfferAccepted');
    assert.equal(dialog?.remoteTarget, `sip:phone@127.0.0.1:${phone.port}`, 'where the answer moved it');
    assert.deepEqual(accepted, {
      type: 'OfferAccepted',
      requestId: asked,
      leg: 0,
      sdp: OFFER,
      callId,
    });
  }),
);

test(
  'a call that its owner no longer knows is released without a word',
  inHouse({}, async (house) => {
    await answered(house);
    const before = house.engine.types().length;
    house.engine.gone(callId);
    await house.phone.incoming('BYE');
    assert.deepEqual([house.edge.liveCalls(), house.engine.types().length], [0, before]);
  }),
);

test(
  'a caller who asks again over TCP gets the same answer there, and it stays one call',
  inHouse({}, async (house) => {
    const { engine, phone } = house;
    const text = phone.request('INVITE', { branch: 'z9hG4bKsame', body: OFFER });
    await engine.fact('CallArrived');
    const line = connect(house.edge.port, '127.0.0.1');
    let heard = '';
    line.on('data', (chunk) => {
      heard += chunk;
    });
    line.write(text);
    while (!heard.includes('100 Trying')) await phone.silence(5);
    engine.ask(callId, { type: 'AnswerRequested', leg: 0, sdp: ANSWER });
    await phone.status(200);
    while (!heard.includes('200 OK')) await phone.silence(5);
    assert.match(heard, new RegExp(`X-Opentact-Call-Id: ${callId}`));
    assert.deepEqual(engine.types(), ['CallArrived', 'LegAnswered']);
    line.destroy();
  }),
);

test(
  'a broken INVITE is told which call it would have been',
  inHouse({}, async ({ phone }) => {
    phone.request('INVITE', { lines: ['Contact: <sip:broken'] });
    assert.equal((await phone.status(400)).headers.get('x-opentact-call-id'), callId);
  }),
);

test(
  'calls whose owner is away wait for one, and take no place from those that have theirs',
  inHouse({}, async (house) => {
    house.routes.set('18005550100', { ...ROUTE, callsMax: 0 });
    house.engine.away = true;
    for (let n = 0; n < 150; n++) house.phone.request('INVITE', { callId: `away-${n}`, fromTag: `f${n}`, body: OFFER });
    await house.phone.status(100); // after a while without an owner's word
    house.engine.away = false;
    house.phone.request('INVITE', { callId: 'served', fromTag: 'served', body: OFFER });
    await house.engine.fact('CallArrived');
  }),
);
