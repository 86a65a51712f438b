// Facts of a leg say where its signalling came from and where its trunk or connection sends media from.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openHouse, ROUTE } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

test('a call that arrives names the address of its INVITE and the media ranges of its connection', async () => {
  const house = await openHouse();
  try {
    house.routes.set('18005550100', { ...ROUTE, media: { ranges: ['198.51.100.0/24'], fromAnywhere: true } });
    const phone = await house.another('127.0.0.7');
    phone.request('INVITE', { body: OFFER });
    const { media } = await house.engine.fact('CallArrived');
    assert.deepEqual(media, { signallingAddress: '127.0.0.7', ranges: ['198.51.100.0/24'], fromAnywhere: true });
  } finally {
    await house.close();
  }
});

test('a ringing and an answered leg name the address their responses came from and the ranges of the trunk', async () => {
  const house = await openHouse({ allowed: (address) => address === '127.0.0.8' });
  try {
    const phone = await house.another('127.0.0.8');
    const trunk = { host: '127.0.0.8', port: phone.port, transport: 'udp', user: '', password: '' };
    house.trunks.set('trunk-1', {
      ...trunk,
      trunk: 'trunk-1',
      media: { ranges: ['203.0.113.9/32'], fromAnywhere: false },
    });
    const dial = { type: 'DialRequested', leg: 1, target: 'tel:+12025550123', accountId: 'demo' } as const;
    house.engine.ask('00000000-0000-8000-8000-000000000001', { ...dial, fromUser: '1', sdp: OFFER });
    const invite = await phone.incoming('INVITE');
    phone.respond(invite, 180);
    const media = { signallingAddress: '127.0.0.8', ranges: ['203.0.113.9/32'], fromAnywhere: false };
    assert.deepEqual((await house.engine.fact('LegRang')).media, media);
    phone.respond(invite, 200, { body: { type: 'application/sdp', bytes: Buffer.from(OFFER) } });
    assert.deepEqual((await house.engine.fact('LegAnswered')).media, media);
  } finally {
    await house.close();
  }
});
