// The edge as a process: it starts, answers, refuses calls while nobody owns them, and leaves when told.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPhone } from './testing/phone.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

function get(socketPath: string, path: string): Promise<number> {
  return new Promise((done, failed) => {
    const asked = request({ socketPath, path }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    asked.on('error', failed).end();
  });
}

test('an edge without engines lives, is not ready, answers OPTIONS, refuses calls with 503, and leaves at once', async () => {
  const home = mkdtempSync(join(tmpdir(), 'edge-'));
  const env = {
    ...process.env,
    OPENTACT_HOME: home,
    OPENTACT_LOG: 'memory',
    OPENTACT_SIP_PORT: '0',
    OPENTACT_SECRET: 's',
  };
  const edge = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const output: string[] = [];
  const port = await new Promise<number>((done) => {
    edge.stdout.on('data', (chunk) => {
      output.push(String(chunk));
      const found = /"port":(\d+)/.exec(output.join(''));
      if (found) done(Number(found[1]));
    });
  });
  const phone = await openPhone(port);
  try {
    phone.request('OPTIONS');
    await phone.status(200);
    phone.request('INVITE', { callId: 'call-2' });
    const refused = await phone.status(503);
    assert.ok(refused.headers.get('retry-after') && refused.headers.get('x-opentact-call-id'));
    const health = join(home, 'run', 'sip-edge.health');
    assert.equal(await get(health, '/health'), 200);
    assert.equal(await get(health, '/ready'), 503);
  } finally {
    phone.close();
    edge.kill('SIGTERM');
  }
  const [code] = await once(edge, 'exit');
  assert.equal(code, 0, output.join(''));
});
