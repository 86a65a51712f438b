// What carriers and phones send that must be answered, and what they must find in what we send.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type House, openHouse, ROUTE } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

const callId = '00000000-0000-8000-8000-000000000001';
const body = { type: 'application/sdp', bytes: Buffer.from(OFFER) };
const inHouse = (name: string, run: (house: House) => Promise<void>) =>
  test(name, async () => {
    const house = await openHouse();
    try {
      await run(house);
    } finally {
      await house.close();
    }
  });
const dial = (house: House, target: string) =>
  house.engine.ask(callId, {
    ...{ type: 'DialRequested', leg: 1, target, accountId: 'demo', fromUser: '1', sdp: OFFER },
  });

inHouse('an INVITE to a tel URI is for that number', async ({ phone, engine, routes }) => {
  routes.set('+18005550100', ROUTE);
  phone.request('INVITE', { uri: 'tel:+1-800-555-0100;isub=1', body: OFFER });
  assert.equal((await engine.fact('CallArrived')).toNumber, '+18005550100');
});

for (const [uri, from, to, toParameters] of [
  [
    'sip:+1(305)555-0100;npdi;rn=+13055550199@127.0.0.1',
    '+12125550147;cpc=ordinary',
    '+13055550100',
    'npdi;rn=+13055550199',
  ],
  ['tel:+1-305-555-0100;isub=2', '+1(212)555-0147;cpc=ordinary', '+13055550100', 'isub=2'],
  ['sip:+13055550100@127.0.0.1;user=phone', '%2B12125550147;cpc=ordinary', '+13055550100', undefined],
] as const)
  inHouse(`${uri} from ${from} is a call between two numbers; their parameters stand apart`, async (house) => {
    const { phone, engine, routes } = house;
    routes.set(to, ROUTE); // what the Directory is asked for is what the story is told
    const text = phone.request('INVITE', { uri: 'sip:nobody@127.0.0.1', body: OFFER });
    phone.send(
      text
        .replaceAll('sip:nobody@127.0.0.1', uri)
        .replace('call-1', 'call-2')
        .replaceAll(/branch=[^;\r]*/g, 'branch=z9hG4bKnumbers')
        .replace(/From: <sip:[^@]*@/, `From: <sip:${from}@`),
    );
    const arrived = await engine.fact('CallArrived');
    assert.deepEqual(
      [arrived.fromNumber, arrived.fromParameters, arrived.toNumber, arrived.toParameters],
      ['+12125550147', 'cpc=ordinary', to, toParameters],
    );
  });

inHouse('SDP beside a location is the offer', async ({ phone, engine }) => {
  const text = `--x\r\nContent-Type: application/pidf+xml\r\n\r\n<p/>\r\n--x\r\nContent-Type: application/sdp\r\n\r\n${OFFER}\r\n--x--\r\n`;
  const whole = phone.request('INVITE', { callId: 'unsent', uri: 'sip:nobody@127.0.0.1' });
  phone.send(
    `${whole.replaceAll('nobody', '18005550100').replace('unsent', 'multi').replace('branch=', 'branch=z9hG4bKm').replace('Content-Length: 0', `Content-Type: multipart/mixed;boundary=x\r\nContent-Length: ${text.length}`)}${text}`,
  );
  assert.equal((await engine.fact('CallArrived')).sdp.trimEnd(), OFFER.trimEnd());
});

inHouse(
  'a display name beyond ASCII needs no quotes; a Contact without brackets keeps its parameters',
  async (house) => {
    const { phone, engine } = house;
    const text = phone.request('INVITE', { uri: 'sip:nobody@127.0.0.1' });
    phone.send(
      text
        .replaceAll('nobody', '18005550100')
        .replace('call-1', 'call-2')
        .replace('From: <', 'From: Jos\xe9 <')
        .replace(/Contact: <([^>]*)>/, 'Contact: $1;+sip.instance="<urn:uuid:0>"'),
    );
    const { callId: arrived } = await engine.fact('CallArrived');
    engine.ask(arrived, { type: 'AnswerRequested', leg: 0, sdp: OFFER });
    const { dialog } = await engine.fact('LegAnswered');
    assert.equal(dialog!.remoteTarget, `sip:alice@127.0.0.1:${phone.port}`);
  },
);

inHouse('Request-URI and To are the target; how to get there is not part of To', async (house) => {
  dial(house, `sip:+12025550123;ext=4@127.0.0.1:${house.phone.port};user=phone;transport=udp`);
  const invite = await house.phone.incoming('INVITE');
  assert.equal(invite.uriText, `sip:+12025550123;ext=4@127.0.0.1:${house.phone.port};user=phone;transport=udp`);
  assert.equal(invite.headers.get('to'), `<sip:+12025550123;ext=4@127.0.0.1:${house.phone.port};user=phone>`);
});

for (const contact of ['sips:x@127.0.0.1', '<nonsense', '*', '"x" <sip:a b@c>']) {
  inHouse(`a 200 with the Contact ${contact} is acknowledged and hung up`, async (house) => {
    dial(house, `sip:bob@127.0.0.1:${house.phone.port}`);
    const invite = await house.phone.incoming('INVITE');
    house.phone.respond(invite, 200, { body, contact: false, lines: [['Contact', contact]] });
    assert.equal((await house.phone.incoming('ACK')).cseq.number, invite.cseq.number);
    await house.phone.incoming('BYE');
    assert.equal((await house.engine.fact('DialFailed')).reason, 'unreachable');
  });
}

inHouse('a 200 whose Contact has no brackets and a parameter in quotes is used', async (house) => {
  dial(house, `sip:bob@127.0.0.1:${house.phone.port}`);
  const lines = [['Contact', `sip:x@127.0.0.1:${house.phone.port};+sip.instance="<urn:uuid:0>"`]] as const;
  house.phone.respond(await house.phone.incoming('INVITE'), 200, { body, contact: false, lines });
  assert.equal((await house.engine.fact('LegAnswered')).dialog!.remoteTarget, `sip:x@127.0.0.1:${house.phone.port}`);
});

for (const [what, line] of [
  ['no colon', 'nonsense'],
  ['a blank in its name', 'a b: c'],
  ['a lone LF', 'a: b\nc'],
  ['over 8 KiB', `a: ${'x'.repeat(9_000)}`],
  ['among over 256', Array.from({ length: 300 }, () => 'a: b').join('\r\n')],
] as const) {
  inHouse(`over TCP a header line with ${what} is answered 400 and the connection goes on`, async ({ edge }) => {
    const socket = connect(edge.port, '127.0.0.1');
    const options = (extra: string) =>
      `OPTIONS sip:a@b SIP/2.0\r\n${extra}Via: SIP/2.0/TCP h;branch=z9hG4bK${extra.length}\r\nFrom: <sip:a@b>;tag=a\r\n` +
      'To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n';
    socket.write(options(`${line}\r\n`));
    assert.match(String((await once(socket, 'data'))[0]), /^SIP\/2.0 400/);
    socket.write(options(''));
    assert.match(String((await once(socket, 'data'))[0]), /^SIP\/2.0 200/);
    socket.destroy();
  });
}
