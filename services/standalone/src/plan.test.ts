import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAllowedAddress, parseAllowList, readPlatformConfig } from '@opentact/runtime';
import { leavesOf, planOf, TURNS } from './plan.ts';

const CLONE = join(import.meta.dirname, '../../..');

/** The processes where a person says this. */
function planned(environment: Record<string, string>) {
  const given = { clone: CLONE, databaseUrl: undefined, apiDatabaseUrl: undefined, quiet: true };
  return planOf(readPlatformConfig('standalone', environment), environment, given);
}

test('what a person lets in is added to the demo’s addresses, not put in their place', () => {
  for (const name of ['OPENTACT_FETCH_ALLOW', 'OPENTACT_DIAL_ALLOW'] as const)
    for (const given of ['', '10.0.0.0/8', ' 10.0.0.0/8 10.1.0.1:80 , ']) {
      const plan = [undefined, 'services'].flatMap((shape) =>
        planned({ [name]: given, OPENTACT_DEMO_PORT: '8123', ...(shape && { OPENTACT_SHAPE: shape }) }),
      );
      assert.equal(plan.length, 5 + 11);
      for (const { environment } of plan) {
        const allowed = parseAllowList(environment[name]!);
        assert.ok(isAllowedAddress(allowed, '127.0.0.1', 8123), given);
        assert.ok(!isAllowedAddress(allowed, '127.0.0.1', 8124), given);
        assert.equal(isAllowedAddress(allowed, '10.2.3.4', 443), given !== '');
      }
    }
});

test('a shape decides the processes; each leaves in a turn that the supervisor knows', () => {
  const names = (environment: Record<string, string>) => planned(environment).map(({ name }) => name);
  const around = (...inside: string[]) => ['api', ...inside, 'demo-customer', 'demo-callee'];
  assert.deepEqual(names({}), around('cell-1', 'cell-2'));
  assert.deepEqual(names({ OPENTACT_CELLS: '1' }), around('cell-1'));
  const services = ['flow-engine', 'media', 'notifier', 'sip-edge'].flatMap((kind) => [`${kind}-1`, `${kind}-2`]);
  assert.deepEqual(names({ OPENTACT_SHAPE: 'services' }), around(...services));
  // What another shape left is ended in the turn of its kind.
  for (const name of [...services, 'cell-2', 'api', 'unheard-of']) assert.ok(TURNS.includes(leavesOf(name)), name);
});
