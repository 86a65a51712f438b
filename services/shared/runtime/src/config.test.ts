import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, helpText } from './config.ts';
import { platformSecret } from './secret.ts';
import { claimFolder, socketPath } from './socket-path.ts';
import { advertisedAddress, INTERNAL, PUBLIC, readPlatformConfig } from './variables.ts';

function faultsOf(environment: Record<string, string>): string[] {
  try {
    readPlatformConfig('sip-edge', environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
}

test('an empty environment gives the documented defaults', () => {
  const config = readPlatformConfig('sip-edge', {});
  assert.equal(config.bind, '127.0.0.1');
  assert.deepEqual([config.sipPort, config.httpPort, config.grpcPort, config.demoPort], [5060, 8080, 9090, 8090]);
  assert.deepEqual(config.rtpPorts, { first: 10_000, last: 19_999 });
  assert.equal(config.nodeName, 'sip-edge');
  assert.match(config.home, /\/\.opentact$/);
  assert.equal(config.health, join(config.home, 'run/sip-edge.health'));
  assert.equal(config.databaseUrl, undefined);
  assert.equal(config.retainDays, 30);
});

test('a bad environment is refused with every fault at once, each naming its variable', () => {
  const faults = faultsOf({
    OPENTACT_SIP_PORT: 'sip',
    OPENTACT_RTP_PORTS: '5',
    OPENTACT_ADVERTISE: '0.0.0.0',
    OPENTACT_FETCH_ALLOW: 'nonsense',
    DATABASE_URL: 'mysql://x:hidden@y/z',
  });
  assert.deepEqual(
    faults.map((fault) => fault.split(' ')[0]),
    ['OPENTACT_ADVERTISE', 'OPENTACT_SIP_PORT', 'OPENTACT_RTP_PORTS', 'DATABASE_URL', 'OPENTACT_FETCH_ALLOW'],
  );
  assert.doesNotMatch(faults.join(), /hidden/);
});

test('the recogniser’s address holds no password, and neither it nor its token is ever printed', () => {
  const faults = faultsOf({ OPENTACT_ASR_URL: 'https://me:hidden@words.example/', OPENTACT_ASR_TOKEN: 'hidden' });
  assert.deepEqual(faults, ['OPENTACT_ASR_URL must hold no user and no password']);
  assert.equal(faultsOf({ OPENTACT_ASR_URL: 'ftp://words.example/' }).length, 1);
  assert.deepEqual(faultsOf({ OPENTACT_ASR_URL: 'http://127.0.0.1:9000/asr' }), []);
});

test('a bind beyond loopback needs a token', () => {
  assert.match(faultsOf({ OPENTACT_BIND: '0.0.0.0' }).join(), /OPENTACT_GRPC_TOKEN/);
  assert.deepEqual(faultsOf({ OPENTACT_BIND: '0.0.0.0', OPENTACT_GRPC_TOKEN: 't' }), []);
});

test('trusted proxies are addresses and CIDRs', () => {
  const { trustedProxies } = readPlatformConfig('api', { OPENTACT_TRUSTED_PROXIES: '10.0.0.7, 2001:db8::/32' });
  assert.deepEqual(trustedProxies, ['10.0.0.7', '2001:db8::/32']);
  for (const wrong of ['proxy.example', '10.0.0.0/33', '0.0.0.0/0', '10.0.0.0/8/8', '10.0.0.0/'])
    assert.match(faultsOf({ OPENTACT_TRUSTED_PROXIES: wrong }).join(), /OPENTACT_TRUSTED_PROXIES/, wrong);
});

test('two services can’t be given one port', () => {
  assert.match(
    faultsOf({ OPENTACT_HTTP_PORT: '9090' }).join(),
    /OPENTACT_GRPC_PORT must differ from OPENTACT_HTTP_PORT/,
  );
});

test('the name on the command line wins over the environment', () => {
  const config = readPlatformConfig('flow-engine', { OPENTACT_NODE_NAME: 'other' }, ['--name', 'flow-engine-2']);
  assert.equal(config.nodeName, 'flow-engine-2');
});

test('the api’s database lies beside the journal’s', () => {
  const config = readPlatformConfig('api', { DATABASE_URL: 'postgres://u:p@h:1/opentact?x=1' });
  assert.equal(config.apiDatabaseUrl, 'postgres://u:p@h:1/opentact_api?x=1');
});

test('help names every variable', () => {
  const help = helpText({ ...PUBLIC, ...INTERNAL });
  for (const { name } of Object.values({ ...PUBLIC, ...INTERNAL })) assert.match(help, new RegExp(`\\b${name}\\b`));
});

test('a wildcard is advertised as an address that can be reached', async () => {
  assert.equal(await advertisedAddress({ advertise: undefined, bind: '127.0.0.5' }), '127.0.0.5');
  assert.equal(await advertisedAddress({ advertise: '10.0.0.1', bind: '0.0.0.0' }), '10.0.0.1');
});

test('a home too deep for a socket gets its sockets elsewhere, in a folder that is ours alone', async (t) => {
  const deep = `/somewhere/${'deep/'.repeat(20)}`;
  const path = socketPath(deep, 'x.health');
  assert.match(path, /\/opentact-[0-9a-f]{12}\/x\.health$/);
  assert.equal(socketPath('/a', 'x.health'), '/a/run/x.health');
  assert.notEqual(dirname(socketPath(`${deep}2`, 'x')), dirname(path));
  const open = await mkdtemp(join(tmpdir(), 'opentact-open-'));
  t.after(() => rm(open, { recursive: true }));
  await chmod(open, 0o777);
  await assert.rejects(claimFolder(open), /open to others/);
});

test('processes that start at once share one secret', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'opentact-secret-'));
  t.after(() => rm(home, { recursive: true }));
  const secrets = await Promise.all([1, 2, 3].map(() => platformSecret({ home, secret: undefined })));
  assert.equal(new Set(secrets).size, 1);
  assert.match(secrets[0]!, /^[0-9a-f]{64}$/);
  assert.equal((await stat(join(home, 'secret'))).mode & 0o777, 0o600);
  assert.equal(await platformSecret({ home, secret: 'given' }), 'given');
});
