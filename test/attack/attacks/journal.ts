/** Item 3: data of one call that can't be read, and the death of its owner. */
import pg from 'pg';
import type { Attack } from '../attack.ts';
import { call, offer, openDatagrams, sleep } from '../sip.ts';

const badData: Attack = {
  item: '3.1',
  kills: true,
  name: 'a spoiled row and a spoiled snapshot of one call each, then the death of both owners',
  async run(arena) {
    const from = await openDatagrams();
    const { platform } = arena;
    arena.evil.on('/flow', '<Response><Pause length="60000"/></Response>');
    const sdp = offer(from.address, 40_000);
    const row = await call(from, platform.sipPort, arena.evilNumber, sdp);
    const fold = await call(from, platform.sipPort, arena.evilNumber, sdp);
    await sleep(500);
    const spoiled = await spoil(arena.databaseUrl, row.platformCallId, fold.platformCallId);
    const since = Date.now();
    for (const engine of ['flow-engine-1', 'flow-engine-2']) {
      platform.kill(engine);
      await sleep(4_000);
    }
    let ready = false;
    for (const end = Date.now() + 20_000; !ready && Date.now() < end; await sleep(200)) ready = await platform.ready();
    const stories = await Promise.all([row, fold].map((p) => platform.story(p.platformCallId).catch(() => [])));
    const faulted = stories.map((s) => s.some((e) => e.type === 'CallFaulted'));
    await from.close();
    return {
      sent: `${spoiled}; each engine killed in turn`,
      did: `the spoiled row's call was ${faulted[0] ? 'faulted' : 'not faulted'}, the other ${faulted[1] ? 'faulted' : 'went on'}; every partition owned after ${Date.now() - since} ms, /ready ${ready ? 'ok' : 'not ok'}`,
      ok: ready && faulted[0] === true && faulted[1] === false,
    };
  },
};

/** Spoils the third row of one call, and gives another a snapshot of the wrong shape. */
async function spoil(databaseUrl: string, row: string, fold: string): Promise<string> {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  try {
    const rows = await db.query(
      `update log_record set bytes = '\\xffff07' where topic = 'calls.journal' and key = $1 and headers::jsonb->>'seq' = '3'`,
      [row],
    );
    const snapshots = await db.query(
      `insert into log_snapshot (topic, partition, key, position, bytes)
       select topic, partition, key, max(position), convert_to('{"v":2,"call":{"legs":7}}', 'UTF8') from log_record
       where topic = 'calls.journal' and key = $1 group by 1, 2, 3`,
      [fold],
    );
    return `${rows.rowCount} row and ${snapshots.rowCount} snapshot overwritten`;
  } finally {
    await db.end();
  }
}

export const JOURNAL = [badData];
