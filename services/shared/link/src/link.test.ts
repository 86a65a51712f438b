/** Both halves over real gRPC on loopback, with engines that are killed, replaced, deaf and forgetful. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryServer, type MemoryServer, memoryLog } from '@opentact/event-log';
import { createGrpcServer, createLogger, listenGrpc, partitionOf } from '@opentact/runtime';
import { type Asked, createEngineLink, createNodeLink, type FactIn, type NodeRef } from './index.ts';

const log = createLogger({ service: 'test', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const PARTITIONS = 8;
const bytes = (text: string) => Buffer.from(text);
const text = (payload: Uint8Array) => Buffer.from(payload).toString();

async function eventually(what: () => unknown, ms = 20_000): Promise<void> {
  for (const until = Date.now() + ms; !what(); await sleep(2))
    if (Date.now() > until) throw new Error(`not within ${ms} ms: ${what}`);
}

/** An engine that learns in order, or as told, and writes down what it heard. */
async function engine(t: TestContext, server: MemoryServer, name: string, boot: string) {
  const events = memoryLog(server);
  const heard: string[] = [];
  const facts: Array<{ fact: FactIn; from: NodeRef }> = [];
  let onFact = (fact: FactIn, from: NodeRef) => link.ack(from, fact.key, fact.n, self.epoch);
  const link = createEngineLink({
    name,
    boot,
    partitions: PARTITIONS,
    log,
    handlers: {
      fact(fact, from) {
        facts.push({ fact, from });
        onFact(fact, from);
      },
      takenOn: (key, seq) => heard.push(`takenOn ${key} ${seq}`),
      refused: (key, seq, reason) => heard.push(`refused ${key} ${seq} ${reason}`),
      caughtUp: (partition, epoch) => heard.push(`caughtUp ${partition} ${epoch}`),
      audit: (keys, from) => onAudit(keys, from),
      where(key, part, from) {
        heard.push(`where ${key} ${part}`);
        onWhere(key, part, from);
      },
      connected: (node) => heard.push(`connected ${node.name}`),
      disconnected: (node) => heard.push(`disconnected ${node.name}`),
    },
  });
  let onAudit = (_keys: string[], _from: NodeRef) => {};
  let onWhere = (_key: string, _part: number, _from: NodeRef): unknown => undefined;
  const grpc = createGrpcServer();
  link.addTo(grpc);
  const port = await listenGrpc(grpc, '127.0.0.1:0');
  await events.registry.join({ name, boot, kind: 'flow-engine', address: `127.0.0.1:${port}`, loadPercent: 0 });
  const self = {
    link,
    heard,
    facts,
    epoch: 0,
    learned: () => facts.map(({ fact }) => `${fact.key}:${fact.n}:${text(fact.payload)}`),
    onFact: (handler: typeof onFact) => {
      onFact = handler;
    },
    onAudit: (handler: typeof onAudit) => {
      onAudit = handler;
    },
    onWhere: (handler: typeof onWhere) => {
      onWhere = handler;
    },
    openAll(epoch: number) {
      self.epoch = epoch;
      for (let p = 0; p < PARTITIONS; p++) link.open(p, epoch);
    },
    /** Its sign of life ends, it doesn't. */
    vanish: () => events.crash(),
    kill() {
      grpc.forceShutdown();
      events.crash();
    },
  };
  t.after(() => grpc.forceShutdown());
  t.after(() => events.close());
  return self;
}

async function node(t: TestContext, server: MemoryServer, over: Partial<Parameters<typeof createNodeLink>[0]> = {}) {
  const events = memoryLog(server);
  const asks: Asked[] = [];
  const said: string[] = [];
  let held: string[] = [];
  const link = createNodeLink({
    name: 'node',
    boot: 'n1',
    kind: 'media',
    events,
    log,
    handlers: {
      ask: (asked) => asks.push(asked),
      gone: (key) => said.push(`gone ${key}`),
      known: (key, name, boot, payload) => said.push(`known ${key} ${name} ${boot} ${text(payload)}`),
      hint: (key, payload, account) => said.push(`hint ${key} ${text(payload)} of ${account}`),
      held: () => held,
    },
    ...over,
  });
  t.after(async () => {
    await link.close();
    await events.close();
  });
  return { link, asks, said, hold: (...keys: string[]) => (held = keys) };
}

test('a fact is durable when its owner says so, and facts of a key arrive in order', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  const early = n.link.report('a', bytes('0')); // before anyone owns anything
  e.openAll(1);
  await eventually(() => n.link.ready());
  await Promise.all([early, ...Array.from({ length: 50 }, (_, i) => n.link.report('a', bytes(String(i + 1))))]);
  assert.deepEqual(
    e.learned(),
    Array.from({ length: 51 }, (_, i) => `a:${i + 1}:${i}`),
  );
  assert.equal(n.link.pending(), 0);
  assert.equal(e.facts[0]!.fact.source, 'node');
  assert.deepEqual(e.heard.filter((h) => h.startsWith('caughtUp')).length, PARTITIONS);
});

test('facts in flight at a killed engine reach the one that takes over, before it is told “caught up”', async (t) => {
  const server = createMemoryServer();
  const first = await engine(t, server, 'e1', '1');
  const second = await engine(t, server, 'e2', '1');
  const n = await node(t, server);
  await eventually(() => first.heard.length + second.heard.length === 2);
  first.onFact(() => {}); // learns, and dies before the acknowledgement
  first.openAll(1);
  await eventually(() => n.link.ready());
  const durable = Promise.all(['x', 'y', 'z'].map((body) => n.link.report('k', bytes(body))));
  await eventually(() => first.facts.length === 3);
  first.kill();
  second.openAll(2);
  await durable;
  assert.deepEqual(second.learned(), ['k:1:x', 'k:2:y', 'k:3:z']);
  await eventually(() => second.heard.includes(`caughtUp ${partitionOf('k', PARTITIONS)} 2`));
});

test('a killed engine that starts again is found soon', async (t) => {
  const server = createMemoryServer();
  const before = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  before.openAll(1);
  await n.link.report('k', bytes('1'));
  before.kill();
  const waiting = n.link.report('k', bytes('2'));
  assert.equal(n.link.ready('k'), true); // not yet noticed
  await eventually(() => !n.link.ready('k'));
  const again = await engine(t, server, 'e1', '2');
  const started = Date.now();
  again.openAll(2);
  await waiting;
  assert.ok(Date.now() - started < 5_000, `${Date.now() - started} ms`);
  assert.deepEqual(again.learned(), ['k:2:2']);
});

test('a gap is filled from where it begins, once', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  let deaf = true; // loses the second fact of the key
  let next = 1;
  const learned: string[] = [];
  e.onFact((fact, from) => {
    if (fact.n === 2 && deaf) {
      deaf = false;
      return;
    }
    if (fact.n > next) e.link.gap(from, fact.key, next, 1);
    else {
      if (fact.n === next) {
        learned.push(text(fact.payload));
        next++;
      }
      e.link.ack(from, fact.key, fact.n, 1);
    }
  });
  e.openAll(1);
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((body) => n.link.report('k', bytes(body))));
  assert.deepEqual(learned, ['a', 'b', 'c', 'd', 'e']);
  assert.equal(e.facts.length, 9); // 5, and 4 again
});

test('after “not owner” facts wait for whoever opens the partition next', async (t) => {
  const server = createMemoryServer();
  const [e1, e2] = [await engine(t, server, 'e1', '1'), await engine(t, server, 'e2', '1')];
  const n = await node(t, server);
  await eventually(() => e1.heard.length + e2.heard.length === 2);
  e1.openAll(1);
  await n.link.report('k', bytes('1'));
  e1.link.shut(partitionOf('k', PARTITIONS));
  await eventually(() => !n.link.ready('k'));
  const waiting = n.link.report('k', bytes('2'));
  await sleep(30);
  assert.equal(n.link.pending(), 1);
  e2.openAll(2);
  await waiting;
  assert.deepEqual(e2.learned(), ['k:2:2']);
  e1.openAll(1); // a frozen owner wakes: its epoch is lower
  await sleep(30);
  await n.link.report('k', bytes('3'));
  assert.deepEqual(e2.learned(), ['k:2:2', 'k:3:3']);
});

test('an ask is handed over once, and refused where it was meant for another boot or comes from an old owner', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  e.openAll(5);
  await eventually(() => n.link.ready());
  const ask = (seq: number, epoch = 5) => ({
    ...{ key: 'k', seq, epoch, payload: bytes(`do ${seq}`) },
    account: 'acme',
  });
  assert.equal(e.link.ask({ node: 'node', boot: 'n1' }, ask(3)), true);
  assert.equal(e.link.ask({ node: 'node', boot: 'n1' }, ask(3)), true);
  assert.equal(e.link.ask({ node: 'node', boot: 'n1' }, ask(4, 4)), true);
  assert.equal(e.link.ask({ node: 'node', boot: 'n0' }, ask(5)), false);
  assert.equal(e.link.ask({ node: 'nobody', boot: 'n1' }, ask(6)), false);
  await eventually(() => e.heard.includes('refused k 4 stale'));
  assert.deepEqual(
    e.heard.filter((h) => h.startsWith('takenOn')),
    ['takenOn k 3', 'takenOn k 3'],
  );
  assert.deepEqual(
    n.asks.map((a) => [a.key, a.seq, text(a.payload), a.account]),
    [['k', 3, 'do 3', 'acme']],
  );
  e.link.settled({ node: 'node', boot: 'n1' }, 'k', 5);
  e.link.ask({ node: 'node', boot: 'n1' }, ask(3)); // a late repetition is still known
  await eventually(() => e.heard.filter((h) => h.startsWith('takenOn')).length === 3);
  assert.equal(n.asks.length, 1);
});

test('a key that its owner doesn’t know is released, and its facts end', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  e.onFact((fact, from) => e.link.unknown(from, fact.key, 1));
  e.openAll(1);
  const ignored = n.link.report('k', bytes('1'));
  await assert.rejects(n.link.report('k', bytes('2')), { name: 'GoneError' });
  await assert.rejects(ignored, { name: 'GoneError' });
  assert.ok(n.said.includes('gone k'));
  assert.equal(n.link.pending(), 0);
});

test('who reported a beginning second hears who was first, and counts anew', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  const learned: string[] = [];
  e.onFact((fact, from) => {
    if (text(fact.payload) === 'begin')
      e.link.known(from, 'k', { node: 'other', boot: 'o1', payload: bytes('their begin') });
    else if (fact.n > learned.length + 1) e.link.gap(from, 'k', learned.length + 1, 1);
    else if (fact.n <= learned.length) e.link.ack(from, 'k', fact.n, 1);
    else {
      learned.push(text(fact.payload));
      e.link.ack(from, 'k', fact.n, 1);
    }
  });
  e.openAll(1);
  await Promise.all([n.link.report('k', bytes('begin')), n.link.report('k', bytes('next'))]);
  assert.deepEqual(n.said, ['known k other o1 their begin']);
  assert.deepEqual(learned, ['next']);
});

test('two audits running must call a key gone', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server, { auditEveryMs: 40 });
  n.hold('lives', 'dead', 'once');
  let audits = 0;
  e.onAudit((keys, from) => {
    audits++;
    for (const key of keys) {
      const no = key === 'dead' || (key === 'once' && audits <= 1);
      e.link.auditAnswer(from, partitionOf(key, PARTITIONS), 1, no ? [key] : []);
    }
  });
  e.openAll(1);
  await eventually(() => n.said.includes('gone dead'));
  n.hold('lives', 'once');
  await sleep(150);
  assert.deepEqual(n.said, ['gone dead']);
});

test('a full store refuses new work but keeps every fact of what lives', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server, { limits: { factsMax: 10 } });
  e.onFact(() => {});
  e.openAll(1);
  await eventually(() => n.link.ready());
  for (let i = 0; i < 12; i++) void n.link.report('k', bytes(String(i)));
  assert.deepEqual([n.link.full(), n.link.pending()], [true, 12]);
  e.link.ask({ node: 'node', boot: 'n1' }, { key: 'new', seq: 1, epoch: 1, payload: bytes('') });
  e.link.ask({ node: 'node', boot: 'n1' }, { key: 'k', seq: 1, epoch: 1, payload: bytes('') });
  await eventually(() => e.heard.includes('refused new 1 full') && e.heard.includes('takenOn k 1'));
  await eventually(() => e.facts.length === 12);
  e.link.ack(e.facts[0]!.from, 'k', 12, 1);
  await eventually(() => n.link.pending() === 0 && !n.link.full());
});

test('a store of large facts crosses a hand-off whole', async (t) => {
  const server = createMemoryServer();
  const [e1, e2] = [await engine(t, server, 'e1', '1'), await engine(t, server, 'e2', '1')];
  const n = await node(t, server);
  await eventually(() => e1.heard.length + e2.heard.length === 2);
  e1.onFact(() => {});
  e1.openAll(1);
  const body = 'x'.repeat(64 * 1024);
  const durable = Promise.all(
    Array.from({ length: 300 }, (_, i) => n.link.report(`k${i % 20}`, bytes(`${i} ${body}`))),
  );
  await sleep(20);
  e1.kill();
  e2.openAll(2);
  await durable;
  assert.equal(e2.facts.length, 300);
  const ofKey = e2.facts.filter(({ fact }) => fact.key === 'k7').map(({ fact }) => text(fact.payload).split(' ')[0]);
  assert.deepEqual(
    ofKey,
    Array.from({ length: 15 }, (_, i) => String(7 + 20 * i)),
  );
});

test('an engine that is called gone but answers keeps its stream', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  const n = await node(t, server);
  e.openAll(1);
  await n.link.report('k', bytes('1'));
  e.vanish();
  await sleep(400);
  await n.link.report('k', bytes('2'));
  assert.deepEqual(e.learned(), ['k:1:1', 'k:2:2']);
  assert.equal(
    e.heard.some((h) => h.startsWith('disconnected')),
    false,
  );
});

test('hints and load travel', async (t) => {
  const server = createMemoryServer();
  const e = await engine(t, server, 'e1', '1');
  let load = 5;
  const n = await node(t, server, { load: () => load });
  e.openAll(1);
  await eventually(() => n.link.ready());
  e.link.hint({ node: 'node', boot: 'n1' }, 'k', bytes('soon'));
  await eventually(() => n.said.includes('hint k soon of k'));
  e.link.hint({ node: 'node', boot: 'n1' }, 'k', bytes('soon'), 'acme');
  await eventually(() => n.said.includes('hint k soon of acme'));
  load = 77;
  await eventually(() => e.link.nodes()[0]?.loadPercent === 77);
});

test('a node learns who holds a part of a key, asks once for all who wait, and asks the next owner again', async (t) => {
  const server = createMemoryServer();
  const first = await engine(t, server, 'e1', '1');
  const second = await engine(t, server, 'e2', '1');
  const n = await node(t, server);
  const holder = { node: 'edge-2', boot: 'b' };
  first.onWhere((key, part, from) => key === 'here' && first.link.there(from, key, part, holder, first.epoch));
  first.openAll(1);
  await eventually(() => n.link.ready());
  assert.deepEqual(await n.link.where('here', 3), holder);
  const waiting = [n.link.where('k', 0), n.link.where('k', 0), n.link.where('k', 1)];
  await eventually(() => first.heard.includes('where k 1'));
  assert.equal(first.heard.filter((word) => word === 'where k 0').length, 1);
  first.kill();
  second.onWhere((key, part, from) => {
    second.link.there(from, key, part, { node: 'stale', boot: 'b' }, second.epoch - 1);
    second.link.there(from, key, part, part === 0 ? holder : undefined, second.epoch);
  });
  second.openAll(2);
  assert.deepEqual(await Promise.all(waiting), [holder, holder, undefined]);
});

test('nobody answers where a key is: the question ends after two seconds, and the link’s end ends it at once', async (t) => {
  const n = await node(t, createMemoryServer());
  const asked = Date.now();
  await assert.rejects(n.link.where('k', 0), { name: 'AwayError' });
  assert.ok(Date.now() - asked >= 1_990 && Date.now() - asked < 10_000);
  const last = n.link.where('k', 0);
  await n.link.close();
  await assert.rejects(last, { name: 'AwayError' });
});
