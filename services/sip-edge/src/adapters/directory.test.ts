// The Directory's adapter against a real gRPC server of this test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import { closeGrpc, createGrpcServer, listenGrpc } from '@opentact/runtime';
import { DirectoryAway } from '../edge/port.ts';
import { ROUTE } from '../testing/house.ts';
import { grpcDirectory } from './directory.ts';

const media = (range: string) => ({ ranges: [range], fromAnywhere: false });
const KNOWN = [
  { from: '198.51.100.0/24', media: media('198.51.100.128/25') },
  { from: '2001:db8::1', media: media('2001:db8::/64') },
  { from: '127.0.0.1:5099', media: media('127.0.0.1') },
  { from: 'nonsense', media: media('0.0.0.0/0') },
];

async function given() {
  const asked: string[] = [];
  const server = createGrpcServer('token');
  const unused = () => assert.fail();
  server.addService(DirectoryV1.DirectoryService, {
    route({ request }, done) {
      asked.push(request.user);
      const isGone = request.user === 'leaving' && asked.includes('it left');
      if (request.user === 'nobody' || isGone) done({ code: status.NOT_FOUND, details: '' });
      else if (request.fromUser === 'screened') done(null, { ...ROUTE, refusal: 'no' });
      else if (request.user === 'carried') done(null, { ...ROUTE, forEveryCaller: true, knownSources: KNOWN });
      else done(null, { ...ROUTE, forEveryCaller: request.user === 'open' });
    },
    trunk: ({ request }, done) =>
      done(null, { trunk: request.trunk, host: 'h', port: 5060, transport: 'udp', user: 'u', password: 'p' }),
    account: ({ request }, done) =>
      done(null, { callsMax: 1, dialsPerMinuteMax: 2, trunk: `trunk of ${request.accountId}` }),
    locate({ request }, done) {
      asked.push(request.number);
      done(null, { state: 'NY', county: request.number.startsWith('1212555') ? 'NEW YORK' : '' });
    },
    group({ request }, done) {
      asked.push(request.group);
      if (request.accountId !== 'demo') done({ code: status.NOT_FOUND, details: '' });
      else done(null, { targets: ['sip:a@h', 'tel:1'] });
    },
    reserve({ request }, done) {
      asked.push(request.leg);
      // Away once, then as it should be.
      if (request.leg === 'slow' && asked.length === 1) done({ code: status.UNAVAILABLE, details: '' });
      else done(null, { refusal: request.called === '1900' ? 'rate' : '', callerNumber: '' });
    },
    reach({ request }, done) {
      asked.push(request.address);
      done(null, { refusal: '', trunk: request.address === '' ? '' : 'carrier', shown: request.caller });
    },
    stage: unused,
    pastCall: unused,
    story: unused,
    signingKey: unused,
  } satisfies DirectoryV1.DirectoryServer as never);
  const port = await listenGrpc(server, '127.0.0.1:0');
  const directory = grpcDirectory(`127.0.0.1:${port}`, 'token');
  const close = async () => {
    directory.close();
    await closeGrpc(server, 100);
  };
  return { server, directory, asked, close };
}

const question = (user: string, fromUser = 'a', host = '127.0.0.1', sourceAddress = '127.0.0.1:5060') => ({
  user,
  host,
  fromUser,
  callerWithheld: false,
  sourceAddress,
  callId: '',
});

test('whose number it is is asked once for many calls; nobody’s number is an answer too', async () => {
  const { directory, asked, close } = await given();
  assert.equal((await directory.route(question('1')))?.accountId, 'demo');
  assert.equal((await directory.route(question('1')))?.accountId, 'demo');
  assert.equal(await directory.route(question('nobody')), undefined);
  assert.equal(await directory.route(question('nobody')), undefined);
  assert.equal((await directory.route(question('1', 'screened')))?.refusal, 'no');
  assert.deepEqual(asked, ['1', 'nobody', '1']);
  assert.equal((await directory.trunk('t'))?.password, 'p');
  await close();
});

test('a number that screens nobody is asked about once for all its callers', async () => {
  const { directory, asked, close } = await given();
  for (const caller of ['a', 'b', 'c'])
    assert.equal((await directory.route(question('open', caller)))?.accountId, 'demo');
  for (const caller of ['a', 'b', 'c']) await directory.route(question('1', caller));
  assert.deepEqual(asked, ['open', '1', '1', '1']);
  await close();
});

test('an address that somebody was let call is known, whoever calls it next, until it is nobody’s', async () => {
  const { directory, asked, close } = await given();
  assert.equal(directory.known(question('1')), undefined);
  await directory.route(question('1', 'screened'));
  assert.equal(directory.known(question('1')), undefined, 'a refusal tells nothing of others');
  await directory.route(question('1'));
  assert.equal(directory.known(question('1', 'whoever'))?.accountId, 'demo');
  await directory.route(question('leaving'));
  assert.ok(directory.known(question('leaving')));
  asked.push('it left');
  await directory.route(question('leaving', 'b'));
  assert.equal(directory.known(question('leaving')), undefined);
  await directory.route(question('carried'));
  const byCarrier = question('carried', 'a', '127.0.0.1', '198.51.100.7:5060');
  assert.deepEqual(directory.known(byCarrier)?.media, media('198.51.100.128/25'));
  assert.equal(directory.known(question('1'.repeat(129))), undefined);
  assert.deepEqual(asked, ['1', '1', 'leaving', 'it left', 'leaving', 'carried']);
  await close();
});

test('at a domain’s name it matters which machine calls, but not by which port; at our address it doesn’t', async () => {
  const { directory, server, asked, close } = await given();
  await directory.route(question('open', 'a', 'pbx.test', '10.0.0.1:5060'));
  await directory.route(question('open', 'b', 'pbx.test', '10.0.0.1:5061'));
  assert.equal(asked.length, 1);
  await directory.route(question('open', 'a', 'pbx.test', '10.0.0.2:5060'));
  await directory.route(question('open', 'a', 'other.test', '10.0.0.1:5060'));
  await directory.route(question('open'));
  await directory.route(question('open', 'a', '127.0.0.1', '10.0.0.2:5060'));
  assert.equal(asked.length, 4);
  server.forceShutdown();
  await assert.rejects(directory.route(question('open', 'a', 'pbx.test', '10.0.0.3:5060')), DirectoryAway);
  await close();
});

test('strangers with long names, and those who call nobody, push out no number that is somebody’s', async () => {
  const { directory, server, asked, close } = await given();
  await directory.route(question('1'));
  const long = 'x'.repeat(129);
  assert.equal(await directory.route(question(long)), undefined);
  assert.equal(await directory.route(question('1', 'a', `${long}.${long}.test`)), undefined);
  assert.deepEqual(asked, ['1'], 'nobody has such a name');
  await directory.route(question('1', `${long.slice(0, 128)}a`));
  await directory.route(question('1', `${long.slice(0, 128)}b`));
  assert.equal(asked.length, 2, 'a caller’s name is cut');
  for (let n = 0; n < 3_000; n++) await directory.route(question('nobody', String(n)));
  server.forceShutdown();
  assert.equal((await directory.route(question('1')))?.accountId, 'demo');
  await close();
});

test('a staged document’s address is asked for every time', async () => {
  const { directory, asked, close } = await given();
  await directory.route(question('doc-1'));
  await directory.route(question('doc-1'));
  assert.equal(asked.length, 2);
  await close();
});

test('a Directory that is away is served from memory, for callers never seen as well', async () => {
  const { directory, server, close } = await given();
  await directory.route(question('1'));
  server.forceShutdown();
  assert.equal((await directory.route(question('1')))?.accountId, 'demo');
  assert.equal((await directory.route(question('1', 'a stranger')))?.accountId, 'demo');
  await assert.rejects(directory.route(question('2')), DirectoryAway);
  await close();
});

test('where a number is at home is asked once, and known while the Directory is away', async () => {
  const { directory, server, asked, close } = await given();
  assert.deepEqual(await directory.locate('12125550100'), { state: 'NY', county: 'NEW YORK' });
  assert.deepEqual(await directory.locate('12125550100'), { state: 'NY', county: 'NEW YORK' });
  assert.deepEqual(asked, ['12125550100']);
  server.forceShutdown();
  assert.equal((await directory.locate('12125550100'))?.county, 'NEW YORK');
  await assert.rejects(directory.locate('17185550100'), DirectoryAway);
  await close();
});

test('a group is its account’s: another account’s is remembered to be nobody’s', async () => {
  const { directory, asked, close } = await given();
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await directory.group('g', 'demo'), ['sip:a@h', 'tel:1']);
    assert.equal(await directory.group('g', 'other'), undefined);
  }
  assert.deepEqual(asked, ['g', 'g']);
  await close();
});

test('an address is asked once for each caller, and what it is stays known while the Directory is away', async () => {
  const { directory, server, asked, close } = await given();
  const of = { accountId: 'demo', address: '192.0.2.1:5060', caller: '1', originalCaller: undefined };
  for (let time = 0; time < 2; time++) assert.deepEqual(await directory.reach(of), { shown: '1', trunk: 'carrier' });
  assert.deepEqual(await directory.reach({ ...of, address: '', caller: '' }), { shown: '' });
  assert.deepEqual(asked, ['192.0.2.1:5060', '']);
  server.forceShutdown();
  assert.deepEqual(await directory.reach(of), { shown: '1', trunk: 'carrier' });
  await assert.rejects(directory.reach({ ...of, caller: '2' }), DirectoryAway);
  await close();
});

test('a reservation is asked every time, and again where the Directory was away; away for good it is none', async () => {
  const { directory, server, asked, close } = await given();
  const leg = { leg: 'slow', accountId: 'demo', appId: '', called: '1212', caller: '1', originalCaller: undefined };
  assert.deepEqual(await directory.reserve(leg), {});
  assert.deepEqual(asked, ['slow', 'slow']);
  assert.deepEqual(await directory.reserve(leg), {});
  assert.deepEqual(await directory.reserve({ ...leg, called: '1900' }), { refusal: 'rate' });
  assert.equal(asked.length, 4);
  server.forceShutdown();
  await assert.rejects(directory.reserve(leg), DirectoryAway);
  await close();
});

test('one answer serves every caller; media of a trunk is told only for who calls from it', async () => {
  const { directory, asked, close } = await given();
  const ranges = async (source: string) =>
    (await directory.route(question('carried', 'a', '127.0.0.1', source)))?.media?.ranges;
  assert.deepEqual(await ranges('203.0.113.1:5060'), undefined);
  assert.deepEqual(await ranges('198.51.100.7:40000'), ['198.51.100.128/25']);
  assert.deepEqual(await ranges('2001:db8::1:5060'), ['2001:db8::/64']);
  assert.deepEqual(await ranges('127.0.0.1:5099'), ['127.0.0.1']);
  assert.deepEqual(await ranges('127.0.0.1:5060'), undefined, 'another party of this machine');
  assert.deepEqual(asked, ['carried']);
  await close();
});
