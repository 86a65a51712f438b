// Facts and requests over the real link, with the engine's half in the same process.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryServer, memoryLog } from '@opentact/event-log';
import { createEngineLink, type FactIn } from '@opentact/link';
import { type CallEvent, decodeEvent, encodeEvent } from '@opentact/proto';
import { closeGrpc, createGrpcServer, createLogger, listenGrpc } from '@opentact/runtime';
import { engineLink } from './link.ts';

const log = createLogger({ service: 'test', node: 'edge', boot: 'b', level: 'silent' });

const HOLDER = { node: 'edge-2', boot: 'b7' };

test('a fact is durable when its owner says so, and a request arrives once with its place', {
  timeout: 10_000,
}, async () => {
  const server = createMemoryServer();
  const [ours, theirs] = [memoryLog(server), memoryLog(server)];
  const facts: FactIn[] = [];
  const asks: CallEvent[] = [];
  const known: unknown[] = [];
  const engine = createEngineLink({
    name: 'flow-engine',
    boot: 'e1',
    partitions: theirs.partitions,
    log,
    handlers: {
      fact(fact, from) {
        facts.push(fact);
        if (fact.key === 'call-2') {
          const origin = { topBranch: 'z9hG4bKone', requestUri: 'sip:1@example.com' };
          const first = { node: 'edge-2', boot: 'b7', payload: Buffer.from(JSON.stringify(origin)) };
          return engine.known(from, fact.key, first);
        }
        engine.ack(from, fact.key, fact.n, 1);
        const ask = { type: 'RingRequested', leg: 0, sdp: '', callId: fact.key, seq: 7, at: 5 } as const;
        for (let twice = 0; twice < 2; twice++) {
          engine.ask({ node: 'edge', boot: 'b1' }, { key: fact.key, seq: 7, epoch: 1, payload: encodeEvent(ask) });
        }
      },
      takenOn() {},
      refused() {},
      caughtUp() {},
      audit() {},
      where: (key, part, from) => engine.there(from, key, part, part === 0 ? HOLDER : undefined, 1),
      connected() {},
      disconnected() {},
    },
  });
  const grpc = createGrpcServer();
  engine.addTo(grpc);
  const port = await listenGrpc(grpc, '127.0.0.1:0');
  for (let partition = 0; partition < theirs.partitions; partition++) engine.open(partition, 1);
  const node = { name: 'flow-engine', boot: 'e1', kind: 'flow-engine', address: `127.0.0.1:${port}`, loadPercent: 0 };
  await theirs.registry.join(node);
  const link = engineLink(
    { name: 'edge', boot: 'b1', events: ours, log },
    { ask: (event) => asks.push(event), gone() {}, known: (...of) => known.push(of), held: () => [] },
  );
  await link.report('call-1', { type: 'LegRang', requestId: 3, leg: 0, status: 180 });
  const { type, ...told } = decodeEvent(facts[0]!.payload);
  assert.deepEqual(JSON.parse(JSON.stringify({ type, ...told })), {
    ...{ type: 'LegRang', requestId: 3, leg: 0, status: 180, callId: '', seq: 0, at: 0 },
  });
  while (asks.length === 0) await new Promise((done) => setTimeout(done, 5));
  await new Promise((done) => setTimeout(done, 50));
  assert.deepEqual(asks, [{ type: 'RingRequested', leg: 0, sdp: '', callId: 'call-1', seq: 7, at: 5 }]);
  assert.equal(link.pending(), 0);
  assert.deepEqual(
    [await link.where('call-1', 0), await link.where('call-1', 1)],
    [{ node: 'edge-2', instanceId: 'b7' }, undefined],
  );
  await link.report('call-2', { type: 'LegRang', requestId: 3, leg: 0, status: 180 });
  const origin = { topBranch: 'z9hG4bKone', requestUri: 'sip:1@example.com' };
  assert.deepEqual(known, [['call-2', { node: 'edge-2', instanceId: 'b7' }, origin]]);
  await link.close();
  await theirs.registry.leave('flow-engine');
  await closeGrpc(grpc, 100);
  await Promise.all([ours.close(), theirs.close()]);
});
