/** `npm run flow -- replay` and `record` on calls that were really made: nothing is decided otherwise afterwards. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readStoryFile } from '@opentact/proto';
import { redecide } from '../../services/flow-engine/src/replay/redecide.ts';
import { openScene, type Scene } from '../kit/scene.ts';

const FLOW = fileURLToPath(new URL('../../services/flow-engine/src/cli/main.ts', import.meta.url));
const DOCUMENT = `<Response>
  <Say>Press one.</Say>
  <Gather numDigits="1" timeout="5000">
    <Case dtmf="1"><Record tag="a"><Say>Thank you.</Say></Record><Play record="a"/></Case>
    <Error><Hangup/></Error>
  </Gather>
  <Call field="from" value="12125550199"><Curl url="SERVER" tag="crm"/></Call>
</Response>`;

let scene: Scene;
let callId: string;

/** The command against the platform of this test. */
function flow(...args: string[]): Promise<{ code: number; text: string }> {
  const env = {
    ...process.env,
    OPENTACT_HOME: scene.platform.home,
    OPENTACT_GRPC_PORT: String(scene.platform.grpcPort),
  };
  return new Promise((done) => {
    execFile(process.execPath, [FLOW, ...args], { env, timeout: 30_000 }, (error, text, errors) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, text: text + errors }),
    );
  });
}

describe('a past call', { timeout: 120_000 }, () => {
  before(
    async () => {
      scene = await openScene();
      scene.customer.on('/crm', '{"vip":true}');
      const call = await scene.dial(DOCUMENT.replace('SERVER', `${scene.customer.url}/crm`));
      callId = call.platformCallId;
      await scene.platform.until(callId, (e) => e.type === 'PlayRequested');
      await call.peer.press('1');
      await scene.platform.ended(callId, 30_000);
    },
    { timeout: 90_000 },
  );
  after(() => scene?.close());

  it('is told again from the journal, and today’s code chooses the same', async () => {
    const told = await flow('replay', callId, '--until', '3');
    assert.match(told.text, /^ +1 +\+0\.000 {2}CallArrived .*\n.*\n +3 [^\n]*\n$/);
    const again = await flow('replay', callId, '--redecide');
    assert.match(again.text, /^nothing differs \(\d+ events\)\n$/);
    assert.equal(again.code, 0);
    const { state } = JSON.parse((await flow('replay', callId, '--state', '--json')).text) as {
      state: { state: string; flow: { meta: object } };
    };
    assert.deepEqual([state.state, state.flow.meta], ['ended', { 'crm.vip': true }]);
  });

  it('is kept without the people in it, and chooses the same all the same', async () => {
    const kept = await flow('record', callId, '--as', 'kept', '--into', scene.platform.home);
    assert.equal(kept.code, 0, kept.text);
    const text = readFileSync(join(scene.platform.home, 'kept.story'), 'utf8');
    const { events } = readStoryFile(text);
    assert.deepEqual(redecide(events), []);
    assert.ok(events.length > 40);
    assert.ok(!text.includes('2125550199'));
    assert.equal(
      (await flow('record', callId, '--as', 'kept', '--into', scene.platform.home)).code,
      2,
      'never written over',
    );
  });

  it('that nobody made is said to be none', async () => {
    const { code, text } = await flow('replay', '00000000-0000-8000-8000-000000000000');
    assert.deepEqual([code, /no call 0000/.test(text)], [2, true], text);
  });
});
