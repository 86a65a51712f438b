/** Shares of the door: of an account, of a server; turns among those who wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate, GATE_LIMITS, type Gate } from './gate.ts';

const settled = () => new Promise((go) => setImmediate(go));

/** Requests by name: account, server, number. */
function scene(gate: Gate, waitMs = 1000) {
  const begun: string[] = [];
  const leave = new Map<string, () => void>();
  const enter = (name: string, signal?: AbortSignal) =>
    gate.enter({ account: name[0]!, server: name[1]! }, waitMs, signal).then(
      (left) => {
        begun.push(name);
        leave.set(name, left);
      },
      (error: Error) => void begun.push(`${name} ${error.message}`),
    );
  return { begun, leave, enter };
}

test('an account that always has more waiting does not stay in front: accounts take turns', async () => {
  const { begun, leave, enter } = scene(createGate({ ...GATE_LIMITS, total: 1 }));
  for (const name of ['ax1', 'ax2', 'ax3', 'bx1', 'cx1']) void enter(name);
  await settled();
  for (let n = 0; n < 5; n++) {
    if (n < 3) void enter(`ay${n}`);
    leave.get(begun[n]!)!();
    await settled();
  }
  assert.deepEqual(begun, ['ax1', 'ax2', 'bx1', 'cx1', 'ax3', 'ay0']);
});

test('one account with many slow servers leaves room for the others', async () => {
  const gate = createGate({ ...GATE_LIMITS, total: 8, perAccount: 3, perServer: 2 });
  const { begun, leave, enter } = scene(gate);
  for (const name of ['ax1', 'ax2', 'ax3', 'ay1', 'az1', 'bx1']) void enter(name);
  await settled();
  // Two of one server, three of one account.
  assert.deepEqual(begun, ['ax1', 'ax2', 'ay1', 'bx1']);
  leave.get('ay1')!();
  await settled();
  assert.equal(begun.at(-1), 'az1', 'the server of the one before has no room');
  assert.equal(gate.busy(), 4);
});

test('who waits too long, leaves, or finds no room to wait is told, and leaves no trace', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const gate = createGate({ ...GATE_LIMITS, total: 1, waitingPerServer: 2, waitingPerAccount: 3 });
  const { begun, leave, enter } = scene(gate, 20);
  const gone = new AbortController();
  const all = ['ax1', 'ax2', 'ax3', 'ax4', 'ay1', 'az1'].map((name) =>
    enter(name, name === 'ax2' ? gone.signal : undefined),
  );
  await settled();
  gone.abort(new Error('left'));
  await settled();
  t.mock.timers.tick(20);
  await Promise.all(all);
  assert.deepEqual(begun, [
    'ax1',
    'ax4 2 requests wait for this server already',
    'az1 3 requests of this account wait already',
    'ax2 left',
    'ax3 no turn within 20 ms',
    'ay1 no turn within 20 ms',
  ]);
  leave.get('ax1')!();
  assert.equal(gate.busy(), 0);
  (await gate.enter({ account: 'a', server: 'x' }, 20))();
});
