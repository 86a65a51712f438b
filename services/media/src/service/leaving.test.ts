import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeenNode } from '@opentact/event-log';
import { awaitCalls, handOver, type Leaving } from './leaving.ts';

const media = (name: string, more: Partial<SeenNode> = {}): SeenNode => ({
  ...{ name, boot: 'b', kind: 'media', address: '', loadPercent: 0, gone: false, silentMs: 0 },
  ...more,
});

/** A node that holds calls which end after `endMs`, and what it did, in order. */
function node(nodes: SeenNode[], endMs: number, endingMs = 200) {
  const did: string[] = [];
  let pending = 1;
  const started = Date.now();
  const of: Leaving = {
    name: 'media-1',
    service: {
      drain: () => did.push('drain'),
      held: () => (Date.now() - started < endMs ? ['call'] : []),
      pool: {
        async leave() {
          did.push(`recordings left, ${pending} facts wait`);
        },
      },
    },
    link: { pending: () => pending, close: async () => void did.push('link closed') },
    registry: { nodes: () => [media('media-1'), ...nodes], leave: async () => void did.push('left the registry') },
    times: { endingMs, factsMs: endingMs, movingMs: 50 },
  };
  setTimeout(() => {
    pending = 0;
  }, 250);
  const tookMs = () => Date.now() - started;
  return { of, did, tookMs };
}

test('calls that end by themselves are waited for, and nothing is handed over', async () => {
  const { of, did, tookMs } = node([media('media-2')], 100, 20_000);
  await awaitCalls(of);
  await handOver(of);
  assert.ok(tookMs() >= 100 && tookMs() < 20_000);
  assert.deepEqual(did, ['drain']);
});

test('what is left after its time goes to another node, its last facts first', async () => {
  const { of, did, tookMs } = node([media('media-2')], 60_000);
  await awaitCalls(of);
  await handOver(of);
  assert.ok(tookMs() >= 300);
  assert.deepEqual(did, ['drain', 'recordings left, 0 facts wait', 'left the registry', 'link closed']);
});

test('the last node waits for nobody', async () => {
  const others = [
    media('media-2', { gone: true }),
    media('media-3', { silentMs: 2000 }),
    media('media-4', { loadPercent: 100 }),
    media('edge', { kind: 'sip-edge' }),
  ];
  const { of, did, tookMs } = node(others, 60_000, 20_000);
  await awaitCalls(of);
  await handOver(of);
  assert.ok(tookMs() < 20_000);
  assert.deepEqual(did, ['drain']);
});
