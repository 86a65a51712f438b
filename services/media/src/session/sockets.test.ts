import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { describe, it } from 'node:test';
import { PortPool, portShare } from './port-pool.ts';
import { closeSockets, openSockets } from './sockets.ts';

describe('ports', () => {
  it('come in pairs and return to the end of the line', () => {
    const pool = new PortPool(20_001, 20_007);
    assert.equal(pool.available, 3);
    assert.deepEqual([pool.take(), pool.take()], [20_002, 20_004]);
    pool.give(20_002);
    assert.deepEqual([pool.take(), pool.take(), pool.take()], [20_006, 20_002, undefined]);
  });
  it('are shared among workers without overlap', () => {
    const range = { first: 10_000, last: 10_099 };
    const shares = [0, 1, 2].map((index) => portShare(range, index, 3));
    assert.deepEqual(shares[0], { firstPort: 10_000, lastPort: 10_031 });
    assert.equal(shares[1]!.firstPort, 10_032);
    assert.ok(shares[2]!.lastPort <= range.last);
    assert.throws(() => portShare({ first: 10_000, last: 10_001 }, 0, 2), RangeError);
  });
  it('two processes with one range both get all they may have, and neither holds a half of a pair', async () => {
    const pools = [new PortPool(22_100, 22_199, 0.9), new PortPool(22_100, 22_199, 0.9)] as const;
    const opened = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const pool = pools[n % 2]!;
        return { pool, pair: await openSockets('127.0.0.1', pool) };
      }),
    );
    assert.equal(new Set(opened.map(({ pair }) => pair?.port)).size, 50);
    for (const pool of pools) assert.equal(await openSockets('127.0.0.1', pool), undefined);
    for (const { pair, pool } of opened) await closeSockets(pair!, pool);
  });
  it('one that others hold is passed over, and none left is said', async () => {
    const pool = new PortPool(22_000, 22_003);
    const other = createSocket('udp4');
    await new Promise<void>((bound) => other.bind(22_001, '127.0.0.1', bound));
    const pair = await openSockets('127.0.0.1', pool);
    assert.equal(pair?.port, 22_002);
    assert.equal(await openSockets('127.0.0.1', pool), undefined);
    await closeSockets(pair, pool);
    assert.equal(pool.available, 2);
    await new Promise<void>((closed) => other.close(closed));
  });
});
