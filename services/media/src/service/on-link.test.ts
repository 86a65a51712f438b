// Over the real link and gRPC on loopback, with an engine that only acknowledges.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { createMemoryServer, memoryLog } from '@opentact/event-log';
import { createEngineLink, type NodeRef } from '@opentact/link';
import { type CallEvent, decodeEvent, encodeEvent, type Fact } from '@opentact/proto';
import { createGrpcServer, createLogger, listenGrpc, parseAllowList } from '@opentact/runtime';
import { openPeer } from '../peer/index.ts';
import { noGate } from '../prompt/fetch.ts';
import { mediaOnLink } from './on-link.ts';

const log = createLogger({ service: 'test', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const later = (ms: number) => new Promise((go) => setTimeout(go, ms));
const CALL = '11111111-1111-8111-8111-111111110000';

async function engine(t: TestContext, server: ReturnType<typeof createMemoryServer>) {
  const events = memoryLog(server);
  const facts: CallEvent[] = [];
  const nodes: NodeRef[] = [];
  const link = createEngineLink({
    name: 'engine',
    boot: 'e1',
    partitions: events.partitions,
    log,
    handlers: {
      fact(fact, from) {
        facts.push(decodeEvent(fact.payload));
        link.ack(from, fact.key, fact.n, 1);
      },
      takenOn() {},
      refused: (_key, _seq, reason) => assert.fail(reason),
      caughtUp() {},
      audit() {},
      connected: (node) => nodes.push(node),
      disconnected() {},
    },
  });
  const grpc = createGrpcServer();
  link.addTo(grpc);
  const port = await listenGrpc(grpc, '127.0.0.1:0');
  await events.registry.join({
    name: 'engine',
    boot: 'e1',
    kind: 'flow-engine',
    address: `127.0.0.1:${port}`,
    loadPercent: 0,
  });
  for (let partition = 0; partition < events.partitions; partition++) link.open(partition, 1);
  const kill = async () => {
    grpc.forceShutdown();
    events.crash();
  };
  t.after(kill);
  let seq = 0;
  function ask(wish: Fact): number {
    const event = { ...wish, callId: CALL, seq: ++seq, at: 0 };
    link.ask({ node: 'media', boot: 'm1' }, { key: CALL, seq, epoch: 1, payload: encodeEvent(event) });
    return seq;
  }
  async function fact<T extends CallEvent['type']>(type: T): Promise<Extract<CallEvent, { type: T }>> {
    for (const until = performance.now() + 20_000; performance.now() < until; await later(5)) {
      const found = facts.find((one) => one.type === type);
      if (found) return found as Extract<CallEvent, { type: T }>;
    }
    throw new Error(`no ${type}; there are ${JSON.stringify(facts)}`);
  }
  return { ask, fact, facts, nodes, kill };
}

it('an engine asks over the link, media answers by facts, and audio goes on without the engine', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'opentact-on-link-'));
  mkdirSync(join(home, 'recordings'));
  const server = createMemoryServer();
  const { ask, fact, facts, nodes, kill } = await engine(t, server);
  const events = memoryLog(server);
  const media = mediaOnLink({
    name: 'media',
    boot: 'm1',
    events,
    log,
    token: undefined,
    media: {
      home,
      bind: '127.0.0.1',
      advertise: '127.0.0.1',
      rtpPorts: { first: 26_000, last: 26_009 },
      workers: 1,
      allowed: parseAllowList('127.0.0.1'),
      fetchPrompt: noGate,
      failed: (error) => assert.fail(String(error)),
    },
  });
  await events.registry.join({ name: 'media', boot: 'm1', kind: 'media', address: '', loadPercent: 0 });
  const phone = await openPeer();
  t.after(async () => {
    await phone.close();
    await media.close();
    await media.link.close();
    await events.close();
    rmSync(home, { recursive: true });
  });
  for (const until = Date.now() + 20_000; nodes.length === 0 && Date.now() < until; ) await later(5);

  const session = ask({ type: 'SessionRequested', leg: 0, offer: phone.offer(), sdpId: 2 ** 40, sdpVersion: 1 });
  const ready = await fact('SessionReady');
  assert.equal(ready.requestId, session);
  assert.match(ready.sdp, new RegExp(`^o=opentact ${2 ** 40} 1 `, 'm'));
  phone.connect(ready.sdp);
  ask({ type: 'PlayRequested', leg: 0, loop: 0, items: [{ kind: 'tone', value: 'ringback' }] });
  await phone.press('9', 80);
  assert.equal((await fact('DigitPressed')).digit, '9');
  ask({ type: 'ReleaseRequested', leg: 0 });
  await fact('SessionReleased');
  assert.deepEqual(
    facts.map(({ type }) => type),
    ['SessionReady', 'DigitPressed', 'SessionReleased'],
  );
  for (const until = Date.now() + 20_000; media.link.pending() > 0 && Date.now() < until; ) await later(5);
  assert.equal(media.link.pending(), 0);

  facts.length = 0;
  ask({ type: 'SessionRequested', leg: 0, offer: phone.offer(), sdpId: 1, sdpVersion: 1 });
  phone.connect((await fact('SessionReady')).sdp);
  ask({ type: 'PlayRequested', leg: 0, loop: 0, items: [{ kind: 'tone', value: 'ringback' }] });
  await later(200);
  const before = phone.heard.packets;
  await kill();
  await later(500);
  assert.ok(phone.heard.packets - before > 20, `${phone.heard.packets - before} packets`);
});
