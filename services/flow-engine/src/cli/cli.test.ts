/** `npm run flow` as whoever types it sees it: what it prints and how it ends. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const FLOW = fileURLToPath(new URL('./main.ts', import.meta.url));
const TEST = fileURLToPath(new URL('../../../../test/', import.meta.url));
const STORY = join(TEST, 'replay/calls/seed-hangup.story');
const SEED = join(TEST, 'scenarios/documents/seed.xml');
const folder = mkdtempSync(join(tmpdir(), 'opentact-flow-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** Runs the command; `code` is how it ended. */
function flow(...args: string[]): { code: number; text: string; errors: string } {
  try {
    const printed = execFileSync(process.execPath, [FLOW, ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 30_000,
    });
    return { code: 0, text: printed, errors: '' };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, text: stdout, errors: stderr };
  }
}

test('lint ends 1 on errors and 0 with warnings only, and tells each on its line', () => {
  const wrong = file('wrong.xml', '<Response>\n<Sai>hello</Sai>\n<Pause length="1"/>\n</Response>');
  const { code, text } = flow('lint', wrong);
  assert.equal(code, 1);
  assert.deepEqual(
    text.split('\n').map((line) => line.replace(`${wrong}:`, '').slice(0, 12)),
    ['2:1: error: ', '3:1: warning', ''],
  );
  const warned = flow('lint', file('warned.xml', '<Response><Pause length="1"/></Response>'), '--json');
  assert.equal(warned.code, 0);
  const { ok, found } = JSON.parse(warned.text) as { ok: boolean; found: Array<{ rule: string }> };
  assert.deepEqual([ok, found.map(({ rule }) => rule)], [true, ['suspicious']]);
  assert.equal(flow('lint', join(folder, 'none.xml')).code, 2);
});

test('by URL a document is fetched, asked for loops, and its addresses are tried', async () => {
  const server = createServer((request, response) => {
    const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    if (request.url === '/gone') response.statusCode = 404;
    response.end(
      request.url === '/flow'
        ? `<Response><Callback url="${url}/ok"/>\n<Callback url="${url}/gone"/>\n<Redirect>${url}/flow</Redirect></Response>`
        : '',
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = `http://127.0.0.1:${(server.address() as { port: number }).port}/flow`;
  const child = spawn(process.execPath, [FLOW, 'lint', address], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  server.closeAllConnections();
  server.close();
  assert.deepEqual(
    lines.map((line) => /\[([\w-]+)\]$/.exec(line)?.[1]),
    ['unreachable-address', 'loop'],
  );
});

test('simulate takes keys, servers, orders and the clock', () => {
  const nested = file('nested.xml', '<Response><Say>From the server.</Say></Response>');
  const one = flow('simulate', SEED, '--press', '1', '--server', `http://127.0.0.1:8090/=${nested}`);
  assert.equal(one.code, 0);
  assert.match(one.text, /"Hi, man"\n.*"From the server\."\n\nEnded by document: hangup/);
  assert.match(
    flow('simulate', SEED, '--press', '1', '--server', 'http://127.0.0.1=500').text,
    /DocumentFailed .*status=500/,
  );
  const held = file(
    'held.xml',
    '<Response><Schedule dow="mon" time="09:00:00-16:59:59"><Hold/></Schedule><Say>closed</Say></Response>',
  );
  const order = file('order.xml', '<Response><Unhold/><Say>Here we are.</Say></Response>');
  const open = ['--at', '2026-11-23T14:30:00Z', '--tz', 'America/New_York'];
  assert.match(flow('simulate', held, ...open, '--order', `5000=${order}`).text, /5\.0 s {2}"Here we are\."/);
  assert.doesNotMatch(flow('simulate', held, '--at', '2026-11-23T14:30:00Z', '--tz', 'Asia/Tokyo').text, /hold-music/);
  const geo = file('geo.xml', '<Response><Geo states="CA"><Say>west</Say></Geo><Say>on</Say></Response>');
  assert.match(flow('simulate', geo, '--from', '14155550100').text, /"west"/);
  assert.doesNotMatch(flow('simulate', geo, '--from', '12125550100').text, /"west"/);
  const json = JSON.parse(flow('simulate', geo, '--no-auto-answer', '--json').text) as {
    events: Array<{ type: string }>;
    ended: { owner: string };
  };
  assert.equal(json.ended.owner, 'document');
  assert.ok(!json.events.some(({ type }) => type === 'AnswerRequested'));
});

test('simulate --explore prints the tree of outcomes', () => {
  const { text } = flow('simulate', SEED, '--explore');
  assert.match(text, /^Gather\[0\]: keys 2\n {2}Gather\[0\]\.Case\[1\]\.Dial\[0\]: the callee answers$/m);
  assert.match(text, /10 calls, 2 kinds of ending\nEvery verb was reached\.\n$/);
});

test('replay tells a kept story, its state, and that nothing differs', () => {
  const told = flow('replay', STORY, '--until', '9', '--state');
  assert.equal(told.text.split('\n').filter((line) => /^ +\d+ {2}/.test(line)).length, 9);
  assert.match(told.text, /"bytes": "\(\d+ bytes\)"/);
  const again = flow('replay', STORY, '--redecide');
  assert.deepEqual([again.code, again.text], [0, 'nothing differs (21 events)\n']);
});

test('what is called wrongly ends 2 and says how it is called', () => {
  for (const args of [
    ['lint'],
    ['lint', SEED, '--colour'],
    ['simulate', SEED, '--at', 'noon'],
    ['simulate', SEED, '--server', 'x'],
    ['replay', '--until', '0', STORY],
    ['record', STORY, '--as', '../x'],
    ['nonsense'],
  ]) {
    const { code, errors } = flow(...args);
    assert.equal(code, 2, args.join(' '));
    assert.ok(errors.length > 10, args.join(' '));
  }
  assert.equal(flow('lint', '--help').code, 0);
});
