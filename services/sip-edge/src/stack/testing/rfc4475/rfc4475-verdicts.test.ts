// What the stack makes of each torture message before any call exists: read, refused with a status, or dropped.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from '../../message/inspect.ts';
import type { SipRequest } from '../../message/message.ts';
import { parseMessage } from '../../message/parse.ts';
import { TORTURE_NAMES, type TortureName, tortureBytes } from './messages.ts';

const ABILITIES = {
  methods: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS'],
  extensions: [],
  bodyType: 'application/sdp',
};

/** 'process', 'drop', or the status and what its reason must name. */
const OWED: Record<TortureName, 'process' | 'drop' | readonly [status: number, reason?: RegExp]> = {
  wsinv: 'process',
  longreq: 'process',
  intmeth: [501],
  esc02: [501],
  esc01: 'process',
  lwsdisp: 'process',
  semiuri: 'process',
  transports: 'process',
  escnull: [405],
  dblreq: [405],
  mpart01: [405],
  unreason: 'drop',
  noreason: 'drop',
  badinv01: [400, /Via/],
  clerr: [400, /Content-Length/],
  ncl: [400, /Content-Length/],
  scalar02: [400, /CSeq/],
  scalarlg: 'drop',
  quotbal: [400, /To.*quote/],
  ltgtruri: [400, /Request-URI/],
  lwsruri: [400, /Request-URI.*white space/],
  lwsstart: [400, /Request-URI.*white space/],
  trws: [400, /Request line/],
  escruri: [400, /Request-URI.*headers/],
  baddate: 'process',
  regbadct: [400, /Contact/],
  badaspec: [400, /To.*white space/],
  baddn: [400, /From.*display name/],
  badvers: [505],
  mismatch01: [400, /CSeq/],
  mismatch02: [400, /CSeq/],
  bigcode: 'drop',
  badbranch: 'process',
  insuf: [400, /missing/],
  unkscm: [416],
  novelsc: [416],
  unksm2: [405],
  bext01: [420],
  invut: [415],
  regaut01: [405],
  multi01: [400, /twice/],
  mcl01: [400, /Content-Length/],
  bcast: 'drop',
  zeromf: 'process',
  cparam01: [405],
  cparam02: [405],
  regescrt: [405],
  sdp01: [406],
  inv2543: 'process',
};

for (const name of TORTURE_NAMES) {
  const owed = OWED[name];
  test(`${name} is owed: ${typeof owed === 'string' ? owed : owed[0]}`, () => {
    const message = parseMessage(tortureBytes(name));
    if (owed === 'drop') {
      // A response, or a fault without a method: nothing that could be answered.
      assert.ok(message.kind === 'response' || (message.kind === 'fault' && message.method === undefined));
    } else if (message.kind === 'fault') {
      assert.notEqual(owed, 'process', message.reason);
      assert.equal(message.status, owed[0]);
      if (owed[1] instanceof RegExp) assert.match(message.reason, owed[1]);
      assert.ok(message.headers?.get('via'), 'the top Via can be echoed');
    } else {
      assert.equal(inspect(message as SipRequest, ABILITIES)?.status ?? 'process', owed === 'process' ? owed : owed[0]);
    }
  });
}

const request = (name: TortureName): SipRequest => {
  const message = parseMessage(tortureBytes(name));
  assert.equal(message.kind, 'request');
  return message as SipRequest;
};

test('bext01: Unsupported lists the two of Require and none of Proxy-Require', () => {
  const refusal = inspect(request('bext01'), ABILITIES);
  assert.deepEqual(refusal?.lines, [['Unsupported', 'nothingSupportsThis, nothingSupportsThisEither']]);
});

test('wsinv: blanks and folds change nothing that was said', () => {
  const invite = request('wsinv');
  assert.deepEqual(invite.to.params, [{ name: 'tag', value: '1918181833n' }]);
  assert.equal(invite.from.display, 'J Rosenberg \\"');
  assert.deepEqual(invite.cseq, { number: 9, method: 'INVITE' });
  assert.deepEqual(invite.via, {
    transport: 'UDP',
    host: '192.0.2.2',
    params: [{ name: 'branch', value: '390skdjuw' }],
    branch: '390skdjuw',
  });
  assert.equal(invite.headers.list('via').length, 3);
  assert.equal(invite.body.length, 150);
});

test('esc01 and semiuri: an escaped separator is part of the user, not of the address', () => {
  const escaped = request('esc01').uri;
  assert.ok(escaped.kind === 'sip' && escaped.user === 'sips%3Auser%40example.com' && escaped.host === 'example.net');
  const semicolon = request('semiuri').uri;
  assert.ok(semicolon.kind === 'sip' && semicolon.user === 'user;par=u%40example.net' && semicolon.params.length === 0);
});

test('escnull: an escaped NUL in a user part survives', () => {
  const { uri } = request('escnull').to;
  assert.ok(uri.kind === 'sip' && uri.user === 'null-%00-null');
});

test('dblreq: a datagram ends with its first message', () => {
  const message = request('dblreq');
  assert.equal(message.method, 'REGISTER');
  assert.equal(message.body.length, 0);
});

test('cparam01 and cparam02: a parameter belongs to the header without brackets, to the address within them', async () => {
  const { parseNameAddr } = await import('../../message/name-addr.ts');
  const bare = parseNameAddr(request('cparam01').headers.get('contact')!);
  assert.deepEqual([bare.params.length, bare.uri.kind === 'sip' && bare.uri.params.length], [1, 0]);
  const bracketed = parseNameAddr(request('cparam02').headers.get('contact')!);
  assert.deepEqual([bracketed.params.length, bracketed.uri.kind === 'sip' && bracketed.uri.params.length], [0, 1]);
});
