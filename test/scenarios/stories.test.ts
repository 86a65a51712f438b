/** A call is found when the journal has lost it: its state, its story and what a key acted on are in api's database. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { embeddedPostgres } from '@opentact/event-log';
import pg from 'pg';
import { type Database, openDatabase } from '../../services/api/src/database/database.ts';
import type { WireEvent } from '../kit/control.ts';
import { openScene, type Scene } from '../kit/scene.ts';
import { stored } from '../kit/stored.ts';

const JOURNAL = 'calls.journal';
let scene: Scene;
let journal: pg.Client;
let db: Database;

describe('a call that the journal no longer has', { timeout: 120_000 }, () => {
  before(
    async () => {
      scene = await openScene();
      await scene.platform.whole();
      const postgres = await embeddedPostgres({ home: scene.platform.home, databases: [] });
      db = openDatabase(postgres.url('opentact_api'));
      journal = new pg.Client({ connectionString: postgres.url('opentact') });
      await journal.connect();
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await journal?.end();
    await db?.destroy();
    await scene?.close();
  });

  const eventsOf = async (callId: string, of: { from?: number; follow?: boolean } = {}) => {
    const found: WireEvent[] = [];
    for await (const event of scene.platform.control.events(callId, of)) found.push(event);
    return found;
  };

  it('tells its story all the same, from any place and to its end', async () => {
    const { platform } = scene;
    const call = await scene.dial('<Response><Say>Hello.</Say><Pause length="100"/><Hangup/></Response>');
    const id = call.platformCallId;
    await platform.ended(id);
    const whole = await eventsOf(id);
    await stored(db, id, whole.length);
    const { rowCount } = await journal.query('delete from log_record where topic = $1 and key = $2', [JOURNAL, id]);
    assert.equal(rowCount, whole.length);
    assert.deepEqual(await eventsOf(id), whole);
    assert.deepEqual(await eventsOf(id, { from: 5 }), whole.slice(4));
    const followed = await eventsOf(id, { follow: true });
    assert.equal(followed.at(-1)!.body, 'call_ended');
    assert.deepEqual(followed, whole.slice(0, followed.length));
    assert.equal((await platform.control.getCall(id)).state, 'destroyed');
  });

  it('a call whose first days are gone is whole', async () => {
    const { platform } = scene;
    const call = await scene.dial('<Response><Say>Hello.</Say><Hangup/></Response>');
    const id = call.platformCallId;
    await platform.ended(id);
    const whole = await eventsOf(id);
    await stored(db, id, whole.length);
    const sql = 'select position from log_record where topic = $1 and key = $2 order by position limit 4';
    const { rows } = await journal.query(sql, [JOURNAL, id]);
    await journal.query('delete from log_record where topic = $1 and key = $2 and position <= $3', [
      JOURNAL,
      id,
      rows.at(-1).position,
    ]);
    assert.deepEqual(await eventsOf(id), whole);
  });

  it('one that was kept nowhere is unknown', async () => {
    const nobody = '00000000-0000-8000-8000-000000000000';
    await assert.rejects(eventsOf(nobody), { code: status.NOT_FOUND });
    await assert.rejects(eventsOf(nobody, { follow: true }), { code: status.NOT_FOUND });
  });
});
