// Our copies of the torture messages against the reference's, byte for byte, where the reference is at hand.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { REFERENCE, TORTURE_NAMES, tortureBytes } from './messages.ts';

test('all 49 torture messages are here', () => assert.equal(TORTURE_NAMES.length, 49));

const skip = existsSync(REFERENCE) ? false : 'the reference folder ../shared/reference/rfc4475 is not on this machine';

test('each torture message is the one of the RFC, byte for byte', { skip }, () => {
  for (const name of TORTURE_NAMES) {
    const reference = readFileSync(`${REFERENCE}${name}.dat`).toString('latin1');
    assert.equal(tortureBytes(name).toString('latin1'), reference, name);
  }
});
