import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError } from './config.ts';
import {
  addressesOf,
  differencesFrom,
  keepStartedWith,
  readHomeConfig,
  shownAddresses,
  startedWith,
  unknownVariables,
  withStartedWith,
} from './home-environment.ts';

test('a tool finds the platform by its home; what its own environment says holds, and no secret is kept', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'opentact-home-'));
  t.after(() => rm(home, { recursive: true }));
  assert.equal(startedWith(home), undefined);
  assert.equal(readHomeConfig('call', { OPENTACT_HOME: home }).sipPort, 5060);
  await keepStartedWith(home, {
    OPENTACT_HOME: home,
    OPENTACT_SIP_PORT: '6060',
    OPENTACT_GRPC_PORT: '6090',
    OPENTACT_TRUNK: 'sip:a:hidden@h',
    OPENTACT_ADVERTISE: '',
  });
  const file = join(home, 'started-with.json');
  assert.doesNotMatch(await readFile(file, 'utf8'), /hidden/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const config = readHomeConfig('call', { OPENTACT_HOME: home, OPENTACT_GRPC_PORT: '7090' });
  assert.deepEqual([config.sipPort, config.grpcPort, config.httpPort], [6060, 7090, 8080]);
  assert.deepEqual(addressesOf({ ...config, bind: '0.0.0.0' }), {
    sip: '127.0.0.1:6060',
    http: '127.0.0.1:8080',
    grpc: '127.0.0.1:7090',
  });
});

test('what would be other than it was is said, secrets by name alone', () => {
  const before = { variables: { OPENTACT_SIP_PORT: '6060' }, secrets: ['OPENTACT_TRUNK'] };
  const asBefore = withStartedWith({ OPENTACT_TRUNK: 'sip:a:hidden@h' }, before);
  assert.deepEqual(differencesFrom(before, asBefore), []);
  assert.deepEqual(differencesFrom(before, { ...asBefore, OPENTACT_HTTP_PORT: '8080' }), []);
  assert.deepEqual(differencesFrom(before, { OPENTACT_SIP_PORT: '', OPENTACT_BIND: '127.0.0.2', DATABASE_URL: 'x' }), [
    'OPENTACT_BIND is 127.0.0.2 here, and this home was started with 127.0.0.1',
    'OPENTACT_SIP_PORT is 5060 here, and this home was started with 6060',
    'DATABASE_URL is set here, and this home was started without',
    'OPENTACT_TRUNK is not set here, and this home was started with one',
  ]);
});

test('a mistyped variable is named with the nearest that there is', () => {
  assert.deepEqual(
    unknownVariables({ OPENTACT_SIP_PORT: '1', OPENTACT_URL: 'x', OPENTACT_NODE_NAME: 'y', PATH: 'z' }),
    [],
  );
  const [slip, other] = unknownVariables({ OPENTACT_SIPPORT: '1', OPENTACT_COLOUR_OF_THE_SKY: 'blue' });
  assert.match(slip!, /^OPENTACT_SIPPORT is no variable .* did you mean OPENTACT_SIP_PORT\?$/);
  assert.match(other!, /^OPENTACT_COLOUR_OF_THE_SKY is no variable .* --help lists them$/);
});

test('without a route out it is shown where this machine reaches it', async () => {
  const config = { bind: '0.0.0.0', advertise: undefined, sipPort: 5060, httpPort: 8080, grpcPort: 8090 };
  const shown = await shownAddresses(config, () => Promise.reject(new ConfigError(['no route out'])));
  assert.equal(shown.sip, '127.0.0.1:5060');
  assert.equal((await shownAddresses({ ...config, advertise: '192.0.2.7' })).http, '192.0.2.7:8080');
});
