/** The ladder is found wherever an edge is: in a process of its own, or in a cell. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ladder } from './ladder.ts';

for (const name of ['sip-edge-2', 'cell-1'])
  test(`the messages of a call are asked of ${name}, and of no process without an edge`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'opentact-ladder-'));
    const asked: string[] = [];
    const serve = async (process: string, messages: object[]) => {
      const server = createServer((request, response) => {
        asked.push(`${process} ${request.url}`);
        response.end(JSON.stringify({ messages }));
      });
      await new Promise<void>((done) => server.listen(join(folder, `${process}.health`), done));
      t.after(() => server.close());
    };
    t.after(() => rmSync(folder, { recursive: true }));
    await serve(name, [
      { at: 0, direction: 'in', peer: '127.0.0.1:5062', text: 'INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n' },
    ]);
    await serve('api', []);
    const printed: string[] = [];
    await ladder('c1', folder, (line) => printed.push(line));
    assert.deepEqual(asked, [`${name} /calls/c1/sip`]);
    assert.match(printed[0]!, /127\.0\.0\.1:5062 ──▶ edge {2}INVITE sip:a@b SIP\/2\.0$/);
    assert.match(printed[1]!, /To: <sip:a@b>$/);
  });
