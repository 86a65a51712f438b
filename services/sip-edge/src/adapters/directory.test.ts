// The Directory's adapter against a real gRPC server of this test.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import { closeGrpc, createGrpcServer, listenGrpc } from '@opentact/runtime';
import { DirectoryAway } from '../edge/port.ts';
import { ROUTE } from '../edge/testing/house.ts';
import { grpcDirectory } from './directory.ts';

async function given() {
  const asked: string[] = [];
  const server = createGrpcServer('token');
  const unused = () => assert.fail();
  server.addService(DirectoryV1.DirectoryService, {
    route({ request }, done) {
      asked.push(request.user);
      if (request.user === 'nobody') done({ code: status.NOT_FOUND, details: '' });
      else if (request.fromUser === 'screened') done(null, { ...ROUTE, refusal: 'no' });
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
    stage: unused,
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

test('a reservation is asked every time, and again where the Directory was away; away for good it is none', async () => {
  const { directory, server, asked, close } = await given();
  const leg = { leg: 'slow', accountId: 'demo', appId: '', called: '1212' };
  assert.equal(await directory.reserve(leg), undefined);
  assert.deepEqual(asked, ['slow', 'slow']);
  assert.equal(await directory.reserve(leg), undefined);
  assert.equal(await directory.reserve({ ...leg, called: '1900' }), 'rate');
  assert.equal(asked.length, 4);
  server.forceShutdown();
  await assert.rejects(directory.reserve(leg), DirectoryAway);
  await close();
});
