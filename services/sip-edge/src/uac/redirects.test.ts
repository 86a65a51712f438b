// The Contacts of a 3xx are tried as named attempts of the leg, best first, bounded, where they may be dialled.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cseqOf } from '@opentact/proto';
import type { SipRequest } from '../stack/message/message.ts';
import { type House, openHouse } from '../testing/house.ts';
import { OFFER, type Phone } from '../testing/phone.ts';

const callId = '00000000-0000-8000-8000-000000000001';
const body = { type: 'application/sdp', bytes: Buffer.from(OFFER) };

const inHouse = (name: string, run: (house: House, seq: number, phone: Phone) => Promise<void>) =>
  test(name, async () => {
    const house = await openHouse({ allowed: (address) => address === '127.0.0.1' });
    try {
      const target = `sip:bob@127.0.0.1:${house.phone.port}`;
      const dial = { type: 'DialRequested', leg: 1, target, accountId: 'demo', fromUser: '1', sdp: OFFER } as const;
      await run(house, house.engine.ask(callId, dial), house.phone);
    } finally {
      await house.close();
    }
  });
const refer = (phone: Phone, request: SipRequest, ...contacts: string[]) =>
  phone.respond(request, 302, { contact: false, lines: contacts.map((value) => ['Contact', value] as const) });
const invites = ({ heard }: Phone) =>
  heard.flatMap((one) => (one.kind === 'request' && one.method === 'INVITE' ? [one.uriText] : []));

inHouse('the best Contact is tried first, then the next; To stays', async (house, seq, phone) => {
  const at = (user: string) => `sip:${user}@127.0.0.1:${phone.port}`;
  refer(phone, await phone.incoming('INVITE'), `<${at('low')}>;q=0.1, <${at('high')}?Route=x>;q=0.9`, '<tel:1>');
  const second = await phone.incoming('INVITE', 2);
  phone.respond(second, 486);
  const third = await phone.incoming('INVITE', 3);
  assert.deepEqual(invites(phone), [at('bob'), at('high'), at('low')]);
  assert.equal(third.headers.get('to'), `<${at('bob')}>`);
  assert.deepEqual([second.cseq.number, third.cseq.number], [cseqOf(seq, 1), cseqOf(seq, 2)]);
  phone.respond(third, 200, { body });
  assert.equal((await house.engine.fact('LegAnswered')).requestId, seq);
});

inHouse('addresses that may not be dialled, and loops, lead nowhere', async (house, _seq, phone) => {
  const bob = `sip:bob@127.0.0.1:${phone.port}`;
  refer(phone, await phone.incoming('INVITE'), '<sip:x@127.0.0.2>', `<${bob}>`, '<sips:x@127.0.0.1>');
  const failed = await house.engine.fact('DialFailed');
  assert.deepEqual([failed.status, failed.reason, invites(phone)], [302, 'redirected', [bob]]);
});

inHouse('five targets in all, however long it goes on', async (house, _seq, phone) => {
  for (let n = 1; n <= 5; n++) {
    const next = `<sip:a${n}@127.0.0.1:${phone.port}>, <sip:b${n}@127.0.0.1:${phone.port}>`;
    refer(phone, await phone.incoming('INVITE', n), next);
  }
  assert.equal((await house.engine.fact('DialFailed')).reason, 'redirected');
  assert.equal(invites(phone).length, 5);
});

inHouse('a 603 ends it, whoever else there is', async (house, _seq, phone) => {
  refer(phone, await phone.incoming('INVITE'), `<sip:a@127.0.0.1:${phone.port}>, <sip:b@127.0.0.1:${phone.port}>`);
  phone.respond(await phone.incoming('INVITE', 2), 603);
  assert.equal((await house.engine.fact('DialFailed')).status, 603);
});
