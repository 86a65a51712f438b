/** A kind of node that serves a call as a whole, by nothing but the row of its request: planted here, as no kind but the notifier is there. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CallEvent, Observed } from '@opentact/proto/events';
import { HELPERS, REQUESTS } from '@opentact/proto/requests';
import { address } from './address.ts';
import { type Call, newCall } from './call.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import { lostNodes } from './nodes.ts';

const kinds = HELPERS as unknown as string[];
const rows = REQUESTS as unknown as Record<string, unknown>;
before(() => {
  kinds.push('scribe');
  rows.ScribeRequested = {
    servedBy: 'scribe',
    scope: 'none',
    settledBy: ['ScribeDone'],
    deadlineMs: 5_000,
    onNodeLoss: 'with-call',
  };
});
after(() => {
  kinds.pop();
  delete rows.ScribeRequested;
});

const parse = () => assert.fail('no document comes');
const live: Call = { ...newCall('c'), state: 'live', seq: 1 };
const asks = { type: 'ScribeRequested' } as never;
const learn = (call: Call, fact: object): Call =>
  evolve(call, { callId: 'c', seq: call.seq + 1, at: 0, ...fact } as CallEvent);
const chosen = (call: Call, fact: object) =>
  decide(call, { callId: 'c', seq: call.seq, at: 0, ...fact } as CallEvent, parse as never);
const nodeOf = (call: Call) => Object.values(call.outstanding).map(({ type, to }) => [type, to?.node]);
const assigned = (node: string) => ({ type: 'NodeAssigned', requestId: 3, kind: 'scribe', node, boot: 'b' });
const lost = { type: 'NodeLost', recover: true, kind: 'scribe', node: 'scribe-1', boot: 'b' } satisfies Observed;

test('what waits for a node of the kind is asked of the one that is found, and what comes later, too', () => {
  const waiting = learn(learn(live, asks), { type: 'NodeRequested', kind: 'scribe', except: [] });
  const found = learn(waiting, assigned('scribe-1'));
  assert.deepEqual(nodeOf(found), [['ScribeRequested', 'scribe-1']]);
  assert.deepEqual(address(found, asks).to, { node: 'scribe-1', boot: 'b' });
});

test('a node that dies is looked for, and another one is asked the same', () => {
  const asked = learn(
    learn(learn(live, asks), { type: 'NodeRequested', kind: 'scribe', except: [] }),
    assigned('scribe-1'),
  );
  const dead = { node: 'scribe-1', boot: 'b' };
  assert.deepEqual(
    lostNodes(asked, ({ node }) => node === 'scribe-1'),
    [{ kind: 'scribe', ...dead }],
  );
  const left = learn(asked, lost);
  assert.deepEqual(nodeOf(left), [['ScribeRequested', undefined]]);
  assert.deepEqual(chosen(left, lost), [{ type: 'NodeRequested', kind: 'scribe', except: [dead] }]);
  const looking = learn(left, { type: 'NodeRequested', kind: 'scribe', except: [dead] });
  assert.deepEqual(chosen(looking, lost), [], 'it is looked for once');
  const requestId = looking.seq;
  assert.deepEqual(nodeOf(learn(looking, { ...assigned('scribe-2'), requestId })), [['ScribeRequested', 'scribe-2']]);
  const none = learn(looking, { type: 'NodeUnavailable', requestId, kind: 'scribe' });
  assert.deepEqual(nodeOf(none), [], 'nobody is left to ask');
});
