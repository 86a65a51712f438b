// Legs that the edge dials, over real sockets, with phones that answer as a test wants.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { callIdOfInvite, cseqOf, legUuid, localTag, sipCallIdOf } from '@opentact/proto';
import { DirectoryAway } from '../edge/port.ts';
import { textParamOf } from '../stack/message/params.ts';
import { type House, openHouse, ROUTE, SECRET } from '../testing/house.ts';
import { OFFER, type Phone } from '../testing/phone.ts';

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
const sdp = { type: 'application/sdp', bytes: Buffer.from(OFFER) };
const end = { status: 0, q850: 16, reason: 'done', owner: 'us' };

/** A caller arrived; the engine dials `target` on leg 1. */
async function dialling({ engine, phone }: House, target: string, offer = OFFER): Promise<number> {
  phone.request('INVITE', { body: OFFER });
  await engine.fact('CallArrived');
  return engine.ask(callId, {
    type: 'DialRequested',
    leg: 1,
    target,
    accountId: 'demo',
    fromUser: 'ali ce',
    sdp: offer,
  });
}

const at = (phone: Phone) => `sip:bob@127.0.0.1:${phone.port}`;

test(
  'a dialled phone rings, answers, is acknowledged and hung up',
  inHouse({}, async (house) => {
    const { engine } = house;
    const bob = await house.another();
    const asked = await dialling(house, at(bob));
    const invite = await bob.incoming('INVITE');
    assert.equal(invite.callId, sipCallIdOf(SECRET, callId, 1));
    assert.equal(invite.cseq.number, cseqOf(asked, 0));
    assert.equal(textParamOf(invite.from.params, 'tag'), localTag(SECRET, callId, 1));
    assert.match(invite.from.uriText, /^sip:ali%20ce@127.0.0.1:/);
    assert.equal(invite.body.toString(), OFFER);
    bob.respond(invite, 100);
    bob.respond(invite, 180);
    bob.respond(invite, 200, { body: sdp });
    const ack = await bob.incoming('ACK');
    assert.equal(ack.cseq.number, invite.cseq.number);
    assert.notEqual(ack.via.branch, invite.via.branch);
    bob.respond(invite, 200, { body: sdp });
    assert.deepEqual((await bob.incoming('ACK', 2)).raw, ack.raw);
    const dialog = {
      callId: invite.callId,
      localTag: localTag(SECRET, callId, 1),
      remoteTag: 'phone',
      localAddress: invite.headers.get('from'),
      remoteAddress: `<${at(bob)}>;tag=phone`,
      remoteTarget: `sip:phone@127.0.0.1:${bob.port}`,
      routes: [],
      transport: 'udp',
      peerAddress: `127.0.0.1:${bob.port}`,
    };
    const media = { signallingAddress: '127.0.0.1', ranges: [], fromAnywhere: false };
    assert.deepEqual(engine.facts().slice(1), [
      { type: 'LegRang', requestId: asked, leg: 1, status: 180, media },
      { type: 'LegAnswered', requestId: asked, leg: 1, sdp: OFFER, dialog, media },
    ]);
    engine.ask(callId, { type: 'HangupRequested', leg: 1, ...end });
    const bye = await bob.incoming('BYE');
    assert.match(bye.headers.get('reason')!, /cause=16/);
    bob.respond(bye, 200);
    assert.deepEqual(await engine.fact('LegEnded'), {
      ...{ type: 'LegEnded', callId, leg: 1, by: 'us', status: 0, q850: 16, reason: 'bye' },
    });
  }),
);

for (const [status, reason, q850] of [
  [486, 'busy', 17],
  [600, 'busy', 17],
  [404, 'not-found', 1],
  [302, 'redirected', 23],
  [480, 'no-answer', 19],
  [503, 'unreachable', 41],
  [603, 'rejected', 21],
] as const) {
  test(
    `a phone that says ${status} is ${reason}`,
    inHouse({}, async (house) => {
      const bob = await house.another();
      const requestId = await dialling(house, at(bob));
      bob.respond(await bob.incoming('INVITE'), status, { contact: false });
      await bob.incoming('ACK');
      assert.deepEqual(await house.engine.fact('DialFailed'), {
        ...{ type: 'DialFailed', callId, requestId, leg: 1, status, q850, reason },
      });
    }),
  );
}

test(
  'a ringing phone is cancelled, and not before it was heard of',
  inHouse({}, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    const invite = await bob.incoming('INVITE');
    house.engine.ask(callId, { type: 'HangupRequested', leg: 1, ...end });
    await bob.silence(50);
    assert.equal(bob.heard.filter((one) => one.kind === 'request' && one.method === 'CANCEL').length, 0);
    bob.respond(invite, 180);
    const cancel = await bob.incoming('CANCEL');
    assert.equal(cancel.via.branch, invite.via.branch);
    bob.respond(cancel, 200);
    bob.respond(invite, 487);
    const failed = await house.engine.fact('DialFailed');
    assert.deepEqual([failed.status, failed.reason], [487, 'cancelled']);
  }),
);

test(
  'a phone that answers while it is cancelled is acknowledged and told; the flow then hangs it up',
  inHouse({}, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    const invite = await bob.incoming('INVITE');
    bob.respond(invite, 180);
    await house.engine.fact('LegRang');
    house.engine.ask(callId, { type: 'HangupRequested', leg: 1, ...end });
    await bob.incoming('CANCEL');
    bob.respond(invite, 200, { body: sdp });
    await bob.incoming('ACK');
    await house.engine.fact('LegAnswered');
    house.engine.ask(callId, { type: 'HangupRequested', leg: 1, ...end });
    bob.respond(await bob.incoming('BYE'), 200);
    assert.equal((await house.engine.fact('LegEnded')).leg, 1);
  }),
);

test(
  'two phones answer one forked call: the first is kept, the other acknowledged and hung up',
  inHouse({}, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    const invite = await bob.incoming('INVITE');
    bob.respond(invite, 200, { body: sdp, toTag: 'one' });
    bob.respond(invite, 200, { body: sdp, toTag: 'two' });
    const bye = await bob.incoming('BYE');
    assert.equal(textParamOf(bye.to.params, 'tag'), 'two');
    assert.equal(bob.heard.filter((one) => one.kind === 'request' && one.method === 'ACK').length, 2);
    assert.deepEqual(house.engine.types(), ['CallArrived', 'LegAnswered']);
  }),
);

test(
  'a phone nobody hears of is unreachable after 64·T1',
  inHouse({ hurry: 400 }, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    assert.equal((await house.engine.fact('DialFailed')).reason, 'unreachable');
    assert.ok(bob.heard.length >= 5);
  }),
);

for (const [target, reason] of [
  ['sip:bob@127.0.0.2:5060', 'refused-address'],
  ['sip:bob@[::1]:5060', 'refused-address'],
  ['sip:bob@both.test', 'refused-address'],
  ['sip:bob@127.0.0.1?Route=%3Csip:x%3E', 'bad-target'],
  ['sip:b\r\nob@127.0.0.1', 'bad-target'],
  ['sips:bob@127.0.0.1', 'bad-target'],
  ['sip:bob@nowhere.test', 'unreachable'],
  ['tel:+1999', 'no-route'],
] as const) {
  test(`a call to ${JSON.stringify(target)} is not made: ${reason}`, async () => {
    const { createResolve } = await import('./resolve.ts');
    const byDns = createResolve();
    const both = [
      { address: '127.0.0.2', port: 5060 },
      { address: '::1', port: 5060 },
    ];
    const house = await openHouse({
      resolve: async (host, port, transport, asker) =>
        host === 'both.test' ? both : host === 'nowhere.test' ? [] : byDns(host, port, transport, asker),
    });
    await dialling(house, target);
    assert.equal((await house.engine.fact('DialFailed')).reason, reason);
    await house.close();
  });
}

test(
  'a number goes through the trunk, with its password proven and never sent',
  inHouse({}, async (house) => {
    const trunk = await house.another();
    house.trunks.set('trunk-1', {
      ...{ trunk: 'trunk-1', host: '127.0.0.1', port: trunk.port, transport: 'udp', user: 'us', password: 'pass word' },
    });
    const asked = await dialling(house, 'tel:+1 999');
    const first = await trunk.incoming('INVITE');
    assert.equal(first.uriText, `sip:+1999@127.0.0.1:${trunk.port}`);
    const challenge = 'Digest realm="carrier", nonce="n1", qop="auth", algorithm=SHA-256';
    trunk.respond(first, 407, { lines: [['Proxy-Authenticate', challenge]] });
    const second = await trunk.incoming('INVITE', 2);
    assert.equal(second.cseq.number, cseqOf(asked, 1));
    assert.match(
      second.headers.get('proxy-authorization')!,
      /username="us", realm="carrier".*algorithm=SHA-256, qop=auth, nc=00000001/,
    );
    assert.ok(!second.raw.includes('pass word'));
    const shown = house.edge.messages(callId)!.map(({ text }) => text);
    assert.ok(shown.some((text) => /^Proxy-Authorization: Digest \*\*\*\r$/m.test(text)));
    assert.ok(!shown.some((text) => text.includes('response=')));
    trunk.respond(second, 407, { lines: [['Proxy-Authenticate', challenge]] });
    assert.equal((await house.engine.fact('DialFailed')).status, 407);
  }),
);

for (const [said, reason, q850] of [
  [async () => ({ refusal: 'spend-limit' }), 'spend-limit', 21],
  [async () => ({ refusal: 'channel-limit' }), 'channel-limit', 34],
  [() => Promise.reject(new DirectoryAway('away')), 'unreachable', 41],
] as const)
  test(
    `no INVITE leaves for a leg that the account may not dial: ${reason}`,
    inHouse({ hurry: 50 }, async (house) => {
      const trunk = await house.another();
      const at = { host: '127.0.0.1', port: trunk.port, transport: 'udp', user: '', password: '' };
      house.trunks.set('trunk-1', { trunk: 'trunk-1', ...at });
      let asked: unknown;
      house.settings.reserve = (of) => {
        asked = of;
        return said();
      };
      await dialling(house, 'tel:+1 999');
      const failed = await house.engine.fact('DialFailed');
      assert.deepEqual([failed.status, failed.reason, failed.q850], [0, reason, q850]);
      assert.deepEqual(asked, {
        leg: legUuid(callId, 1),
        accountId: 'demo',
        appId: '',
        called: '1999',
        caller: 'ali ce',
        originalCaller: 'alice',
      });
      assert.deepEqual(trunk.heard, []);
    }),
  );

test(
  'an address of a trunk is dialled by that trunk, reserved and by its own host; who is shown is what was granted',
  inHouse({}, async (house) => {
    const trunk = await house.another();
    const at = { host: '127.0.0.1', port: trunk.port, transport: 'udp', user: '', password: '' };
    house.trunks.set('trunk-1', { trunk: 'trunk-1', ...at });
    const asked: unknown[] = [];
    house.settings.reach = async ({ address }) => {
      asked.push(address);
      return { trunk: 'trunk-1' };
    };
    house.settings.reserve = async ({ called }) => {
      asked.push(called);
      return { shown: '13055550100' };
    };
    await dialling(house, `sip:+1-999-1@localhost:${trunk.port}`);
    const invite = await trunk.incoming('INVITE');
    assert.match(String(invite.raw), /^INVITE sip:\+19991@127\.0\.0\.1:/);
    assert.match(invite.headers.get('from')!, /^<sip:13055550100@/);
    assert.deepEqual(asked, [`127.0.0.1:${trunk.port}`, '19991']);
  }),
);

for (const refusal of ['refused-address', 'caller-id'])
  test(
    `no INVITE leaves for an address that the account may not reach: ${refusal}`,
    inHouse({}, async (house) => {
      const bob = await house.another();
      house.settings.reach = async () => ({ refusal });
      await dialling(house, at(bob));
      const failed = await house.engine.fact('DialFailed');
      assert.deepEqual([failed.reason, failed.q850, bob.heard], [refusal, 21, []]);
    }),
  );

test(
  'a number of our own goes to its app by our own door, three times at most',
  inHouse({}, async (house) => {
    house.engine.react = (fact, id, ask) => {
      if (fact.type !== 'CallArrived') return;
      ask({
        type: 'DialRequested',
        leg: 1,
        target: 'tel:18005550100',
        accountId: 'demo',
        fromUser: id.slice(0, 8),
        sdp: OFFER,
      });
    };
    house.phone.request('INVITE', { body: OFFER });
    const failed = await house.engine.fact('DialFailed');
    assert.deepEqual([failed.reason, failed.q850], ['no-route', 25]);
    assert.equal(house.engine.types().filter((type) => type === 'CallArrived').length, 4);
  }),
);

test(
  'an account has only so many dials a minute',
  inHouse({}, async (house) => {
    house.routes.set('18005550100', { ...ROUTE, dialsPerMinuteMax: 1 });
    const bob = await house.another();
    await dialling(house, at(bob));
    await bob.incoming('INVITE');
    const target = at(bob);
    house.engine.ask(callId, { type: 'DialRequested', leg: 2, target, accountId: 'demo', fromUser: '', sdp: OFFER });
    assert.equal((await house.engine.fact('DialFailed')).reason, 'dial-limit');
  }),
);

test(
  'an INVITE too large for UDP goes by TCP, and by UDP where there is no TCP',
  inHouse({}, async (house) => {
    const bob = await house.another();
    const large = OFFER + 'a=x\r\n'.repeat(300);
    await dialling(house, at(bob), large);
    assert.equal((await bob.incoming('INVITE')).via.transport, 'UDP');
    const seen = new Promise<string>((done) => {
      const server = createServer((socket) => {
        socket.once('data', (bytes) => {
          done(bytes.toString());
          socket.destroy();
          server.close();
        });
      });
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        const target = `sip:bob@127.0.0.1:${port}`;
        house.engine.ask(callId, {
          type: 'DialRequested',
          leg: 2,
          target,
          accountId: 'demo',
          fromUser: '',
          sdp: large,
        });
      });
    });
    assert.match(await seen, /^INVITE [\s\S]*Via: SIP\/2.0\/TCP /);
  }),
);

test(
  'asked twice, it is dialled once; a leg nobody knows ends once',
  inHouse({}, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    await bob.incoming('INVITE');
    const request = {
      type: 'DialRequested',
      leg: 1,
      target: at(bob),
      accountId: 'demo',
      fromUser: '',
      sdp: OFFER,
    } as const;
    house.engine.ask(callId, request);
    house.engine.ask(callId, { type: 'HangupRequested', leg: 9, ...end });
    house.engine.ask(callId, { type: 'HangupRequested', leg: 9, ...end });
    const ended = await house.engine.fact('LegEnded');
    assert.deepEqual([ended.leg, ended.reason], [9, 'no-dialog']);
    assert.deepEqual(house.engine.types(), ['CallArrived', 'LegEnded']);
    await bob.silence(30);
    assert.equal(bob.heard.length, 1);
  }),
);

test(
  'the callee hangs up',
  inHouse({}, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    const invite = await bob.incoming('INVITE');
    bob.respond(invite, 200, { body: sdp });
    await bob.incoming('ACK');
    const own = localTag(SECRET, callId, 1);
    bob.request('BYE', { callId: invite.callId, toTag: own, fromTag: 'phone', cseq: 1 });
    await bob.status(200, 'BYE');
    const ended = await house.engine.fact('LegEnded');
    assert.deepEqual([ended.leg, ended.by, ended.reason], [1, 'peer', 'bye']);
  }),
);

test(
  'a carrier that wants proof for our offer and our BYE gets it',
  inHouse({}, async (house) => {
    const trunk = await house.another();
    house.trunks.set('trunk-1', {
      ...{ trunk: 'trunk-1', host: '127.0.0.1', port: trunk.port, transport: 'udp', user: 'us', password: 'p' },
    });
    await dialling(house, 'tel:1999');
    trunk.respond(await trunk.incoming('INVITE'), 200, { body: sdp });
    await house.engine.fact('LegAnswered');
    const challenge = { lines: [['WWW-Authenticate', 'Digest realm="carrier", nonce="n2"'] as const] };
    const asked = house.engine.ask(callId, { type: 'OfferRequested', leg: 1, sdp: OFFER });
    trunk.respond(await trunk.incoming('INVITE', 2), 401, challenge);
    const offered = await trunk.incoming('INVITE', 3);
    assert.match(offered.headers.get('authorization')!, /username="us"/);
    trunk.respond(offered, 200, { body: sdp });
    assert.equal((await house.engine.fact('OfferAccepted')).requestId, asked);
    house.engine.ask(callId, { type: 'HangupRequested', leg: 1, ...end });
    trunk.respond(await trunk.incoming('BYE'), 401, challenge);
    const bye = await trunk.incoming('BYE', 2);
    assert.match(bye.headers.get('authorization')!, /nonce="n2"/);
    trunk.respond(bye, 200);
    assert.equal((await house.engine.fact('LegEnded')).reason, 'bye');
  }),
);

test(
  'a peer that never settles our offer does not hold it for ever',
  inHouse({ hurry: 400 }, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    bob.respond(await bob.incoming('INVITE'), 200, { body: sdp });
    await house.engine.fact('LegAnswered');
    house.engine.ask(callId, { type: 'OfferRequested', leg: 1, sdp: OFFER });
    bob.respond(await bob.incoming('INVITE', 2), 183);
    assert.equal((await house.engine.fact('OfferRefused')).status, 408);
    assert.equal(house.edge.liveCalls(), 1);
  }),
);

test(
  'a phone that answers without a Contact is acknowledged where it was dialled',
  inHouse({}, async (house) => {
    const bob = await house.another();
    await dialling(house, at(bob));
    bob.respond(await bob.incoming('INVITE'), 200, { body: sdp, contact: false });
    assert.equal((await bob.incoming('ACK')).uriText, at(bob));
  }),
);
