/** What takes a minute: a caller who vanishes is given up, a staged document that nobody dials expires. It judges no sound. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { openPhone } from '@opentact/phone';
import { openScene, outcome, type Scene } from '../kit/scene.ts';

const STAGED_FOR_MS = 60_000;
let scene: Scene;

describe('a minute later', { concurrency: 2, timeout: 150_000 }, () => {
  before(
    async () => {
      scene = await openScene();
    },
    { timeout: 90_000 },
  );
  after(() => scene?.close());

  it('a caller who vanishes is given up after 60 s of silence', { timeout: 120_000 }, async () => {
    const vanishing = await openPhone({ user: 'vanishing' });
    try {
      const call = await scene.dial('<Response><Pause length="200000"/></Response>', vanishing);
      // No RTP, no BYE, no answers any more.
      call.peer.mute();
      vanishing.alive = false;
      const silent = await scene.platform.until(call.platformCallId, (e) => e.type === 'MediaSilent', 75_000);
      assert.ok(silent.type === 'MediaSilent' && silent.silentMs === 60_000);
      await scene.platform.until(call.platformCallId, (e) => e.type === 'HangupRequested');
      // The BYE is sent again until someone answers; back from the dead, to spare us the 32 s.
      vanishing.alive = true;
      assert.equal(outcome(await scene.platform.ended(call.platformCallId)), 'caller: silent');
    } finally {
      await vanishing.close();
    }
  });

  it('a staged document that nobody dialled in time is gone', { timeout: 90_000 }, async () => {
    const forgotten = await scene.staged('<Response><Say>Too late.</Say></Response>');
    await new Promise((r) => setTimeout(r, STAGED_FOR_MS + 500));
    const call = await scene.phone.call(forgotten);
    await call.until('ended');
    assert.equal(call.ended?.status, 404);
  });
});
