/** A home whose journal was in PostgreSQL is started on Kafka: what becomes of its history is said, and so. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { embeddedPostgres } from '@opentact/event-log';
import { openDatabase } from '../../../services/api/src/database/database.ts';
import { type Broker, startBroker } from '../../kit/broker.ts';
import { openScene, outcome } from '../../kit/scene.ts';

const HELLO = '<Response><Say>Hello.</Say><Pause length="100"/><Hangup/></Response>';
const WAIT = '<Response><Pause length="600000"/></Response>';

let broker: Broker | undefined;
let absent: string | undefined;
try {
  broker = await startBroker();
} catch (error) {
  if (process.env.OPENTACT_REQUIRE === 'all') throw error;
  absent = `no Kafka: ${(error as Error).message}`;
}

describe('from PostgreSQL to Kafka', { skip: absent, timeout: 240_000 }, () => {
  let home: string;
  after(async () => {
    await broker?.stop();
    if (home) await rm(home, { recursive: true, force: true });
  });

  it('calls that are over can be read as before, what lived there is over, and new calls are made', async () => {
    home = await mkdtemp(join(tmpdir(), 'opentact-moved-'));
    const before = await openScene({ OPENTACT_HOME: home });
    await before.platform.whole();
    const over = (await before.dial(HELLO)).platformCallId;
    const story = await before.platform.ended(over);
    const live = (await before.dial(WAIT)).platformCallId;
    await before.platform.until(live, (event) => event.type === 'VerbStarted');
    assert.doesNotMatch(before.platform.output(), /was in PostgreSQL/);
    // Killed, so that the call is live in the journal when the platform is gone.
    await before.platform.stop('SIGKILL');
    await Promise.all([before.phone.close(), before.callee.close(), before.customer.close()]);

    const scene = await openScene({ OPENTACT_HOME: home, OPENTACT_LOG: 'kafka', KAFKA_BROKERS: broker!.brokers });
    const { platform } = scene;
    const postgres = await embeddedPostgres({ home, databases: [] });
    const db = openDatabase(postgres.url('opentact_api'));
    try {
      await platform.whole();
      const said = platform
        .output()
        .split('\n')
        .filter((line) => line.includes('was in PostgreSQL'));
      assert.equal(said.length, 1);
      assert.match(said[0]!, /calls that are over stay in the call log and their stories can be read/);
      assert.deepEqual(await platform.story(over), story);
      assert.equal((await platform.control.getCall(over)).state, 'destroyed');
      const gone = await platform.control.getCall(live);
      assert.deepEqual([gone.state, gone.owner, gone.reason], ['destroyed', 'us', 'journal-changed']);
      const row = await db.selectFrom('call_log').select(['state']).where('id', '=', live).executeTakeFirst();
      assert.equal(row?.state, 'destroyed');
      const next = (await scene.dial(HELLO)).platformCallId;
      assert.equal(outcome(await platform.ended(next)), 'document: hangup');
    } finally {
      await db.destroy();
      await scene.close();
    }
  });
});
