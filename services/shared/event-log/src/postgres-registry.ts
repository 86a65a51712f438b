/**
 * The registry's rows in PostgreSQL, over one connection that also holds this node's liveness lock: when the process is
 * killed the server frees the lock, and everyone who reads sees it within one reading.
 */
import type pg from 'pg';
import { connectAlone } from './connections.ts';
import type { Observation } from './judge.ts';
import type { Node } from './port.ts';
import type { RegistryStore } from './registry.ts';

const STATEMENT_MS = 1000;
/** A free lock is believed only from a connection this old: after a restart of the server all locks are free for a moment. */
const BELIEVE_AFTER_MS = 1000;

const LOCK = `hashtextextended(name || '/' || boot, 0)`;

// The rows are read as they were before this beat; it is read back by the next exchange.
const EXCHANGE = `with beat as (
  insert into log_node as n (name, boot, kind, address, load_percent, beats, beat_at, withdrawn)
  select name, boot, kind, address, load_percent, $6, clock_timestamp(), false
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[]) as own(name, boot, kind, address, load_percent)
  order by name
  on conflict (name) do update set boot = excluded.boot, kind = excluded.kind, address = excluded.address,
    load_percent = excluded.load_percent, beats = excluded.beats, beat_at = excluded.beat_at, withdrawn = false
  where n.boot = excluded.boot or n.name = any($7::text[])
)
select name, boot, kind, address, load_percent, beats::float8 as beats, withdrawn,
  case when name || '/' || boot = any($8::text[]) then false else pg_try_advisory_xact_lock_shared(${LOCK}) end as free
from log_node where beat_at > now() - interval '1 hour'`;

const idOf = ({ name, boot }: Node) => `${name}/${boot}`;

type Row = Omit<Node, 'loadPercent'> & { load_percent: number; beats: number; withdrawn: boolean; free: boolean };

export function postgresRegistryStore(url: string): RegistryStore {
  let client: pg.Client | undefined;
  let connectedAt = 0;
  let locked = new Set<string>(); // `name/boot` of each lock that this connection holds
  /** Who joined and did not leave, by name: their locks are held as long as the connection is. */
  const own = new Map<string, Node>();

  async function connection(): Promise<pg.Client> {
    if (client) return client;
    const opened: pg.Client = await connectAlone(url, 'opentact log registry', STATEMENT_MS, () => {
      if (client === opened) client = undefined;
    });
    // Beats need no disk: after a crash of the server all locks are free and everyone beats again.
    await opened.query('set synchronous_commit = off');
    [client, connectedAt, locked] = [opened, performance.now(), new Set()];
    return opened;
  }
  async function dropping<T>(run: (open: pg.Client) => Promise<T>): Promise<T> {
    const open = await connection();
    try {
      return await run(open);
    } catch (error) {
      if (client === open) client = undefined;
      void open.end().catch(() => {});
      throw error;
    }
  }
  async function lock(open: pg.Client, node: Node): Promise<void> {
    if (locked.has(idOf(node))) return;
    // Before the first beat, so that no reader ever sees the row without its lock.
    await open.query('select pg_advisory_lock(hashtextextended($1, 0))', [idOf(node)]);
    locked.add(idOf(node));
  }
  function observe(row: Row): Observation {
    const { load_percent: loadPercent, beats, withdrawn, free, ...rest } = row;
    const believed = performance.now() - connectedAt > BELIEVE_AFTER_MS;
    return { node: { ...rest, loadPercent }, beats, withdrawn, free: believed ? free : undefined };
  }
  return {
    exchange: (beats) =>
      dropping(async (open) => {
        for (const { node } of beats) own.set(node.name, node);
        for (const node of own.values()) await lock(open, node);
        const values = [
          ...(['name', 'boot', 'kind', 'address', 'loadPercent'] as const).map((of) =>
            beats.map(({ node }) => node[of]),
          ),
          beats[0]?.beats ?? 0,
          beats.filter(({ claim }) => claim).map(({ node }) => node.name),
          [...own.values()].map(idOf),
        ];
        const { rows } = await open.query<Row>({ name: 'exchange', text: EXCHANGE, values });
        return rows.map(observe);
      }),
    withdraw: (node) =>
      dropping(async (open) => {
        own.delete(node.name);
        await open.query('update log_node set withdrawn = true where name = $1 and boot = $2', [node.name, node.boot]);
      }),
    async close() {
      const open = client;
      client = undefined;
      await open?.end().catch(() => {});
    },
  };
}
