import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAllowedAddress, parseAllowList, readPlatformConfig } from '@opentact/runtime';
import { planOf } from './plan.ts';

const CLONE = join(import.meta.dirname, '../../..');

/** What each process is told where a person says this. */
function told(environment: Record<string, string>) {
  const given = { clone: CLONE, databaseUrl: undefined, apiDatabaseUrl: undefined, quiet: true };
  return planOf(readPlatformConfig('standalone', environment), environment, given).map((p) => p.environment);
}

test('what a person lets in is added to the demo’s addresses, not put in their place', () => {
  for (const name of ['OPENTACT_FETCH_ALLOW', 'OPENTACT_DIAL_ALLOW'] as const)
    for (const given of ['', '10.0.0.0/8', ' 10.0.0.0/8 10.1.0.1:80 , ']) {
      const processes = told({ [name]: given, OPENTACT_DEMO_PORT: '8123' });
      assert.ok(processes.length >= 9);
      for (const environment of processes) {
        const allowed = parseAllowList(environment[name]!);
        assert.ok(isAllowedAddress(allowed, '127.0.0.1', 8123), given);
        assert.ok(!isAllowedAddress(allowed, '127.0.0.1', 8124), given);
        assert.equal(isAllowedAddress(allowed, '10.2.3.4', 443), given !== '');
      }
    }
});
