// A stranger's SIP stack calls: SIPp's own caller, a few hundred calls, against the edge with a fake engine.
// What a call costs here is printed, not judged: the machine is shared.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openHouse, ROUTE } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';

const CALLS = 300;
const CALLS_PER_SECOND = 150;

const SIPP = 'sipp';
const skip = spawnSync(SIPP, ['-v']).error ? 'sipp (Debian: sip-tester) is not installed' : false;

for (const transport of ['u1', 't1']) {
  test(`${CALLS} calls of SIPp over ${transport === 'u1' ? 'UDP' : 'TCP'} are all answered and ended`, {
    skip,
  }, async (t) => {
    const house = await openHouse({ log: { info() {}, warn() {}, error: console.error } });
    house.routes.set('18005550100', { ...ROUTE, callsMax: 0 });
    house.engine.react = (fact, _, ask) => {
      if (fact.type === 'CallArrived') ask({ type: 'RingRequested', leg: 0, sdp: '' });
      if (fact.type === 'LegRang') ask({ type: 'AnswerRequested', leg: 0, sdp: OFFER });
    };
    const before = process.cpuUsage();
    const args = [
      '-sn',
      'uac',
      '-t',
      transport,
      '-s',
      '18005550100',
      '-i',
      '127.0.0.1',
      '-r',
      String(CALLS_PER_SECOND),
    ];
    const more = ['-m', String(CALLS), '-d', '20', '-nostdin', '-timeout', '20s', `127.0.0.1:${house.edge.port}`];
    const cwd = mkdtempSync(join(tmpdir(), 'sipp-'));
    const ran = promisify(execFile)(SIPP, [...args, ...more], { cwd, maxBuffer: 8 * 1024 * 1024 });
    await assert.doesNotReject(ran, 'SIPp ends with 0 where no call failed');
    const used = process.cpuUsage(before);
    t.diagnostic(`${((used.user + used.system) / 1000 / CALLS).toFixed(2)} ms of CPU a call, the fake engine included`);
    const ends = house.engine.facts().filter((fact) => fact.type === 'LegEnded');
    assert.equal(ends.filter((end) => end.by === 'peer' && end.reason === 'bye').length, CALLS);
    assert.equal(house.engine.facts().length, 5 * CALLS);
    assert.equal(house.edge.liveCalls(), 0);
    await house.close();
  });
}

test('SIPp hears us before the answer: 183 with the SDP that the 200 carries', { skip }, async () => {
  const house = await openHouse();
  const sdp = OFFER.replace('4000', '5000');
  house.engine.react = (fact, _, ask) => {
    if (fact.type === 'CallArrived') ask({ type: 'RingRequested', leg: 0, sdp });
    if (fact.type === 'LegRang') ask({ type: 'AnswerRequested', leg: 0, sdp });
  };
  const file = fileURLToPath(new URL('../testing/early.xml', import.meta.url));
  const args = ['-sf', file, '-s', '18005550100', '-i', '127.0.0.1', '-r', '50', '-m', '50', '-nostdin'];
  const cwd = mkdtempSync(join(tmpdir(), 'sipp-'));
  const ran = promisify(execFile)(SIPP, [...args, '-timeout', '20s', `127.0.0.1:${house.edge.port}`], { cwd });
  await assert.doesNotReject(ran, 'SIPp ends with 0 where every 183 was as it should be');
  assert.equal(house.engine.facts().filter((fact) => fact.type === 'LegRang' && fact.status === 183).length, 50);
  await house.close();
});
