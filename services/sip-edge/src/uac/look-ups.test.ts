// What the flow asks the Directory by way of the edge, with a fake engine and a fake Directory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callIdOfInvite } from '@opentact/proto';
import { type House, openHouse, SECRET } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

const GROUP = '5b1d0a4e-0000-4000-8000-000000000001';
const callId = callIdOfInvite(SECRET, 'call-1', 'caller', 1);

function story(name: string, run: (house: House) => Promise<void>): void {
  test(name, { timeout: 10_000 }, async () => {
    const house = await openHouse();
    try {
      house.phone.request('INVITE', { body: OFFER });
      await house.engine.fact('CallArrived');
      await run(house);
    } finally {
      await house.close();
    }
  });
}

const location = (number: string) => ({ type: 'LocationRequested', leg: 0, number }) as const;
const members = (group: string, accountId = 'demo') => ({ type: 'GroupRequested', leg: 0, group, accountId }) as const;

story('a number’s home is found, with its county where one is known', async ({ engine, places }) => {
  places.set('12125550100', { state: 'NY', county: 'NEW YORK' });
  const requestId = engine.ask(callId, location('12125550100'));
  assert.deepEqual(await engine.fact('LocationFound'), {
    ...{ type: 'LocationFound', callId, requestId, state: 'NY', county: 'NEW YORK' },
  });
});

story('a group rings its members, ten at most; another account has no such group', async ({ engine, groups }) => {
  groups.set(
    `demo/${GROUP}`,
    Array.from({ length: 12 }, (_, n) => `sip:${n}@h`),
  );
  engine.ask(callId, members(GROUP.toUpperCase()));
  assert.deepEqual(
    (await engine.fact('GroupFound')).targets,
    '0123456789'.split('').map((n) => `sip:${n}@h`),
  );
  const requestId = engine.ask(callId, members(GROUP, 'other'));
  const { callId: _, ...failed } = await engine.fact('LookUpFailed');
  assert.deepEqual(failed, { type: 'LookUpFailed', requestId, reason: 'unknown' });
});

story('a Directory that is away is told as such', async ({ engine, settings }) => {
  settings.directoryAway = true;
  engine.ask(callId, members(GROUP));
  engine.ask(callId, location('12125550100'));
  await engine.fact('LookUpFailed', 2);
  const reasons = engine.facts().map((fact) => (fact.type === 'LookUpFailed' ? fact.reason : ''));
  assert.deepEqual(reasons.filter(Boolean), ['unavailable', 'unavailable']);
});

story('what is no number and no uuid is asked of nobody', async ({ engine, settings }) => {
  settings.directoryAway = true; // whoever asked it would be told `unavailable`
  for (const number of ['anonymous', '', '1'.repeat(16), '+1212']) engine.ask(callId, location(number));
  for (const group of ['', 'all', `${GROUP}/x`]) engine.ask(callId, members(group));
  assert.equal((await engine.fact('LookUpFailed', 7)).reason, 'unknown');
});
