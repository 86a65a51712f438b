// A trunk's password answers challenges of the trunk's own addresses and realm, and no one else's; requests within a
// dialog follow its route set and remote target where these may be reached.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest } from '../stack/message/message.ts';
import { type House, openHouse } from '../testing/house.ts';
import { OFFER, type Phone } from '../testing/phone.ts';

const callId = '00000000-0000-8000-8000-000000000001';
const body = { type: 'application/sdp', bytes: Buffer.from(OFFER) };
const CARRIER = '127.0.0.8';
const STRANGER = '127.0.0.9';

type Given = { house: House; carrier: Phone; stranger: Phone };

function story(name: string, trunk: object, run: (given: Given) => Promise<void>): void {
  test(name, async () => {
    const names: Record<string, string> = { 'stranger.test': STRANGER, 'private.test': '127.0.0.77' };
    const house = await openHouse({
      allowed: (address) => address === CARRIER || address === STRANGER,
      resolve: async (host, port) => [{ address: names[host] ?? host, port: port ?? 5060 }],
    });
    try {
      const carrier = await house.another(CARRIER);
      const stranger = await house.another(STRANGER);
      const way = { host: CARRIER, port: carrier.port, transport: 'udp', user: 'u', password: 'p' };
      house.trunks.set('trunk-1', { ...way, trunk: 'trunk-1', ...trunk });
      const dial = { type: 'DialRequested', leg: 1, target: 'tel:+12025550123', accountId: 'demo' } as const;
      house.engine.ask(callId, { ...dial, fromUser: '1', sdp: OFFER });
      await run({ house, carrier, stranger });
    } finally {
      await house.close();
    }
  });
}

const challenge = (realm: string, nonce = 'n') => `Digest realm="${realm}", nonce="${nonce}", qop="auth"`;
const refuse = (phone: Phone, request: SipRequest, status: 401 | 407, value: string) =>
  phone.respond(request, status, {
    lines: [[status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate', value]],
  });
const hangUp = ({ house }: Given) =>
  house.engine.ask(callId, { type: 'HangupRequested', leg: 1, status: 0, q850: 16, reason: 'x', owner: 'us' });
const proofs = ({ headers }: SipRequest) => [headers.get('proxy-authorization'), headers.get('authorization')];

story('a proxy and the callee behind it each get their proof, and the ACK carries both', {}, async ({ carrier }) => {
  refuse(carrier, await carrier.incoming('INVITE'), 407, challenge('proxy', 'one'));
  const second = await carrier.incoming('INVITE', 2);
  assert.match(proofs(second)[0]!, /realm="proxy".*nc=00000001/);
  refuse(carrier, second, 401, challenge('callee', 'two'));
  const third = await carrier.incoming('INVITE', 3);
  assert.match(proofs(third)[0]!, /realm="proxy", nonce="one".*nc=00000002/);
  assert.match(proofs(third)[1]!, /realm="callee", nonce="two".*nc=00000001/);
  carrier.respond(third, 200, { body });
  const acks = () => carrier.heard.filter((one) => one.kind === 'request' && one.method === 'ACK') as SipRequest[];
  await carrier.incoming('ACK', 3);
  assert.deepEqual(proofs(acks().at(-1)!), proofs(third));
});

story('the same challenge twice means that the password is wrong, unless the nonce was stale', {}, async (given) => {
  const { carrier, house } = given;
  refuse(carrier, await carrier.incoming('INVITE'), 401, challenge('r', 'one'));
  refuse(carrier, await carrier.incoming('INVITE', 2), 401, `${challenge('r', 'two')}, stale=true`);
  refuse(carrier, await carrier.incoming('INVITE', 3), 401, challenge('r', 'two'));
  assert.equal((await house.engine.fact('DialFailed')).status, 401);
});

story('a trunk with a realm answers for no other', { realm: 'carrier.test' }, async ({ carrier, house }) => {
  refuse(carrier, await carrier.incoming('INVITE'), 401, challenge('elsewhere.test'));
  assert.equal((await house.engine.fact('DialFailed')).status, 401);
});

story('without one, the realm of its first challenge is remembered', {}, async (given) => {
  const { carrier, house } = given;
  refuse(carrier, await carrier.incoming('INVITE'), 401, challenge('carrier.test'));
  carrier.respond(await carrier.incoming('INVITE', 2), 200, { body });
  await house.engine.fact('LegAnswered');
  hangUp(given);
  refuse(carrier, await carrier.incoming('BYE'), 401, challenge('elsewhere.test'));
  await house.engine.fact('LegEnded');
  assert.equal(carrier.heard.filter((one) => one.kind === 'request' && one.method === 'BYE').length, 1);
});

for (const [what, lines] of [
  ['Record-Route', (port: number) => [['Record-Route', `<sip:${STRANGER}:${port};lr>`]] as const],
  ['Contact', (port: number) => [['Contact', `<sip:x@${STRANGER}:${port}>`]] as const],
  ['Contact by name', (port: number) => [['Contact', `<sip:x@stranger.test:${port}>`]] as const],
] as const) {
  story(`requests follow a ${what} elsewhere, and no proof goes there`, {}, async (given) => {
    const { carrier, stranger, house } = given;
    refuse(carrier, await carrier.incoming('INVITE'), 401, challenge('r'));
    const invite = await carrier.incoming('INVITE', 2);
    carrier.respond(invite, 200, { body, contact: what === 'Record-Route', lines: [...lines(stranger.port)] });
    const ack = await stranger.incoming('ACK');
    assert.deepEqual(proofs(ack), [undefined, undefined]);
    house.engine.ask(callId, { type: 'OfferRequested', leg: 1, sdp: OFFER });
    refuse(stranger, await stranger.incoming('INVITE'), 401, challenge('r', 'stolen'));
    assert.equal((await house.engine.fact('OfferRefused')).status, 401);
    hangUp(given);
    refuse(stranger, await stranger.incoming('BYE'), 407, challenge('r', 'stolen'));
    await house.engine.fact('LegEnded');
    assert.ok(stranger.heard.every((one) => one.kind !== 'request' || proofs(one).join('') === ''));
  });
}

for (const contact of ['<sip:x@private.test>', '<sip:x@127.0.0.77>', '<sip:x@[::1]>']) {
  story(`a Contact that may not be dialled is not followed: ${contact}`, {}, async (given) => {
    const { carrier } = given;
    carrier.respond(await carrier.incoming('INVITE'), 200, { body, contact: false, lines: [['Contact', contact]] });
    await carrier.incoming('ACK');
    hangUp(given);
    carrier.respond(await carrier.incoming('BYE'), 200);
  });
}

story(
  'an address that the Directory lists is the trunk’s own',
  { endpoints: { addresses: ['127.0.0.8/31'] } },
  async (given) => {
    const { carrier, stranger, house } = given;
    const lines = [['Contact', `<sip:x@${STRANGER}:${stranger.port}>`]] as const;
    carrier.respond(await carrier.incoming('INVITE'), 200, { body, contact: false, lines });
    await house.engine.fact('LegAnswered');
    hangUp(given);
    refuse(stranger, await stranger.incoming('BYE'), 401, challenge('r'));
    assert.match(proofs(await stranger.incoming('BYE', 2))[1]!, /realm="r"/);
  },
);
