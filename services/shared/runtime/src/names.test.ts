import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createHostsFile } from './hosts-file.ts';
import { createNames, type Names, NameUnknown } from './names.ts';

const HEADER_BYTES = 12;
const TYPE_A = 1;

/** A name server on loopback: `slow…` is never answered, `none…` doesn't exist, others are 192.0.2.7 for `ttl` seconds. */
async function nameServer(ttl: number) {
  const socket: Socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (bytes, { address, port }) => {
    const labels: string[] = [];
    let at = HEADER_BYTES;
    for (; bytes[at]! > 0; at += 1 + bytes[at]!) labels.push(bytes.toString('latin1', at + 1, at + 1 + bytes[at]!));
    const question = bytes.subarray(HEADER_BYTES, at + 5);
    const isA = question.readUInt16BE(question.length - 4) === TYPE_A;
    const name = labels.join('.').toLowerCase();
    if (isA) asked.push(name);
    if (name.startsWith('slow')) return;
    const hasAnswer = isA && !name.startsWith('none');
    const head = Buffer.alloc(HEADER_BYTES);
    bytes.copy(head, 0, 0, 2);
    head.writeUInt16BE(name.startsWith('none') ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(hasAnswer ? 1 : 0, 6);
    const record = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4, 192, 0, 2, 7]);
    socket.send(Buffer.concat(hasAnswer ? [head, question, record] : [head, question]), port, address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return { at: `127.0.0.1:${socket.address().port}`, asked, close: () => socket.close() };
}

describe('looking up names', () => {
  let server: Awaited<ReturnType<typeof nameServer>>;
  before(async () => {
    server = await nameServer(30);
  });
  after(() => server.close());
  const open = (limits = {}): Names => createNames(limits, [server.at]);
  const ADDRESS = [{ address: '192.0.2.7', family: 4 }];

  it('takes a numeric host as it is and knows the names of this machine', async () => {
    const names = open();
    assert.deepEqual(await names.addresses('[2001:db8::1]', 'a'), [{ address: '2001:db8::1', family: 6 }]);
    assert.equal((await names.addresses('LocalHost', 'a'))[0]?.address, '127.0.0.1');
    assert.deepEqual(await names.addresses('127.1', 'a'), ADDRESS, 'what is no address is a name');
    assert.deepEqual(await names.addresses('a b.test', 'a'), []);
    assert.deepEqual(await names.addresses(`${'a.'.repeat(200)}test`, 'a'), []);
  });

  it('asks once for what is asked at once or again', async () => {
    const names = open();
    const ask = () => names.addresses('once.test', 'a');
    assert.deepEqual(await Promise.all([ask(), ask()]), [ADDRESS, ADDRESS]);
    assert.deepEqual(await ask(), ADDRESS);
    assert.equal(server.asked.filter((name) => name === 'once.test').length, 1);
  });

  it('remembers that a name does not exist, apart from those that do', async () => {
    const names = open({ missing: 10 });
    await names.addresses('kept.test', 'a');
    for (let n = 0; n < 50; n++) assert.deepEqual(await names.addresses(`none${n}.test`, 'a'), []);
    await names.addresses('none49.test', 'a');
    await names.addresses('kept.test', 'a');
    assert.equal(server.asked.filter((name) => name === 'none49.test').length, 1);
    assert.equal(server.asked.filter((name) => name === 'kept.test').length, 1);
  });

  it('lets slow names hold up nobody else, and gives one asker its share alone', async () => {
    const names = open({ perAsker: 16 });
    const slow = Array.from({ length: 16 }, (_, n) => names.addresses(`slow${n}.test`, 'stranger'));
    let over = 0;
    const began = performance.now();
    for (const each of slow) each.catch(() => over++);
    await assert.rejects(names.addresses('more.test', 'stranger'), NameUnknown);
    assert.deepEqual(await names.addresses('quick.test', 'other'), ADDRESS);
    assert.equal(over, 0, 'as if nobody were slow');
    for (const each of slow) await assert.rejects(each, NameUnknown);
    // Side by side: one after the other they would take half a minute.
    assert.ok(performance.now() - began < 10_000, 'nobody waits longer than the deadline');
    assert.deepEqual(await names.addresses('more.test', 'stranger'), ADDRESS, 'its places are free again');
  });

  it('tells a name without services from no answer', async () => {
    const names = open();
    assert.deepEqual(await names.services('_sip._udp.none.test', 'a'), []);
  });
});

describe('the hosts file', () => {
  it('lists addresses by name, IPv4 first', async () => {
    const path = join(tmpdir(), `hosts-${process.pid}`);
    await writeFile(path, '# ours\n::1 Door # note\n10.0.0.1\tdoor gate\nbroken line\n');
    const hosts = createHostsFile(path);
    assert.deepEqual(await hosts.addresses('door'), [
      { address: '10.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
    assert.equal((await hosts.addresses('gate'))?.length, 1);
    assert.equal(await hosts.addresses('line'), undefined);
    assert.equal((await hosts.addresses('a.localhost'))?.[0]?.address, '127.0.0.1');
    const none = createHostsFile(join(tmpdir(), 'no-such-file'));
    assert.equal((await none.addresses('localhost'))?.[0]?.address, '127.0.0.1');
  });
});
