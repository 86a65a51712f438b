// What must hold whatever phones and engines do, in any order: fuzzed without sockets, with a clock moved by hand.
// OPENTACT_SEED repeats one story; its seed is in the name of every fault.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent, Decided, Observed } from '@opentact/proto';
import { formatResponse } from '../stack/message/build.ts';
import type { SipRequest } from '../stack/message/message.ts';
import { textParamOf } from '../stack/message/params.ts';
import { parseMessage } from '../stack/message/parse.ts';
import { manualClock } from '../stack/testing/harness.ts';
import type { Peer } from '../stack/transport/peer.ts';
import { NO_DIRECTORY, ROUTE, SECRET } from '../testing/house.ts';
import { OFFER } from '../testing/phone.ts';
import { type Edge, openEdge } from './edge.ts';
import type { NetworkEvents } from './network.ts';
import type { EngineListener } from './port.ts';

const STORIES = 500;
const STEPS = 40;

type World = {
  edge: Edge;
  clock: ReturnType<typeof manualClock>;
  /** `life` counts how often the edge forgot the call: what comes later begins anew. */
  facts: { callId: string; life: number; fact: Observed }[];
  sent: SipRequest[];
  /** Our tags, by SIP Call-ID, as phones learn them. */
  tags: Map<string, string>;
  hear(text: string | Buffer): void;
  ask(callId: string, request: Decided): void;
  listener: EngineListener;
  lost: boolean;
};

async function openWorld(): Promise<World> {
  const clock = manualClock();
  const world = { clock, facts: [], sent: [], tags: new Map(), lost: false } as unknown as World;
  let events: NetworkEvents;
  const seqs = new Map<string, number>();
  const forgotten = new Map<string, number>();
  const peer: Peer = {
    transport: 'udp',
    address: '127.0.0.1',
    port: 7000,
    send(bytes) {
      const message = parseMessage(bytes);
      assert.notEqual(message.kind, 'fault', bytes.toString());
      if (message.kind === 'request') world.sent.push(message);
      else if (message.kind === 'response') world.tags.set(message.callId, textParamOf(message.to.params, 'tag') ?? '');
    },
  };
  world.hear = (text) => {
    const message = parseMessage(Buffer.from(text as string, 'latin1'));
    const arrival = { peer, source: { address: '127.0.0.1', port: 7000 } };
    if (message.kind === 'request') events.request(message, arrival);
    else if (message.kind === 'response') events.response(message, arrival);
  };
  world.ask = (callId, request) => {
    const seq = (seqs.get(callId) ?? 0) + 1;
    seqs.set(callId, seq);
    world.listener.ask({ ...request, callId, seq, at: 0 } as CallEvent);
  };
  world.edge = await openEdge({
    ...{ bind: '127.0.0.1', port: 5060, advertise: '127.0.0.1', reusePort: false, secret: SECRET, clock },
    self: { node: 'edge', instanceId: 'b1' },
    link(listener) {
      world.listener = listener;
      const report = (callId: string, fact: Observed) => {
        world.facts.push({ callId, life: forgotten.get(callId) ?? 0, fact });
        return world.lost ? new Promise<void>(() => {}) : Promise.resolve();
      };
      const forget = (callId: string) => forgotten.set(callId, (forgotten.get(callId) ?? 0) + 1);
      return { report, forget, where: async () => undefined, pending: () => 0, full: () => false, ready: () => true };
    },
    directory: { ...NO_DIRECTORY, route: async ({ user }) => (user === '1' ? ROUTE : undefined) },
    allowed: () => true,
    loopDelayMs: () => 0,
    log: { info() {}, warn() {}, error: (fields, message) => assert.fail(`${message} ${JSON.stringify(fields)}`) },
    resolve: async () => [{ address: '127.0.0.1', port: 7000 }],
    async openNetwork(_, given) {
      events = given;
      const advertise = { address: '127.0.0.1', port: 5060 };
      const tcp = () => Promise.reject(new Error('no TCP here'));
      return { advertise, udp: () => peer, tcp, connection: () => undefined, take() {}, close: async () => {} };
    },
  });
  return world;
}

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Something a phone may say about the one inbound call of a story. */
function phoneSays(world: World, random: (below: number) => number): void {
  const method = ['INVITE', 'INVITE', 'CANCEL', 'ACK', 'BYE', 'INVITE'][random(6)]!;
  const within = method === 'ACK' || method === 'BYE' || random(3) === 0;
  const tag = within ? `;tag=${world.tags.get('in') ?? 'x'}` : '';
  const cseq = within ? 1 + random(4) : 1;
  const body = random(2) === 0 ? OFFER : '';
  world.hear(
    `${method} sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:7000;branch=z9hG4bK${within ? random(3) : ''}${cseq}\r\n` +
      `From: <sip:a@x>;tag=caller\r\nTo: <sip:1@x>${tag}\r\nCall-ID: in\r\nCSeq: ${cseq} ${method}\r\n` +
      `Contact: <sip:a@127.0.0.1:7000>\r\n${body ? 'Content-Type: application/sdp\r\n' : ''}Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** Something a phone may answer to any request of ours, the last ones mostly. */
function phoneAnswers(world: World, random: (below: number) => number): void {
  const request = world.sent.at(-1 - random(3));
  if (!request || request.method === 'ACK') return;
  const status = [100, 180, 183, 200, 200, 302, 401, 404, 481, 486, 487, 491, 503, 603][random(14)]!;
  const options = {
    toTag: `phone${random(2)}`,
    lines: [['Contact', '<sip:b@127.0.0.1:7000>'] as const],
    body: { type: 'application/sdp', bytes: Buffer.from(OFFER) },
  };
  world.hear(formatResponse(request, { address: '127.0.0.1', port: 5060 }, status, options).toString('latin1'));
}

const INVITE =
  'INVITE sip:1@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:7000;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=caller\r\n' +
  'To: <sip:1@x>\r\nCall-ID: in\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:7000>\r\nContent-Length: 0\r\n\r\n';
const DIALOG = {
  ...{ callId: 'in', localTag: 'us', remoteTag: 'caller', localAddress: '<sip:1@x>;tag=us', routes: [] },
  ...{ remoteAddress: '<sip:a@x>;tag=caller', remoteTarget: 'sip:a@127.0.0.1:7000' },
  ...{ transport: 'udp', peerAddress: '127.0.0.1:7000' },
};

function engineAsks(world: World, random: (below: number) => number, callId: string): void {
  const leg = random(3);
  const end = { status: random(2) * 486, q850: 16, reason: 'x', owner: 'us' };
  const dialled = {
    target: ['sip:b@127.0.0.1', 'tel:1', 'tel:9', 'sip:<'][random(4)]!,
    accountId: 'demo',
    fromUser: 'a',
  };
  const offered = world.facts.findLast(({ fact }) => fact.type === 'OfferReceived')?.fact;
  const transaction = offered?.type === 'OfferReceived' ? offered.transaction : 'none';
  const adopted = { invite: random(2) ? INVITE : '', transport: 'udp', sourceAddress: '127.0.0.1:7000' };
  const answered = { answer: random(2), answerSdp: OFFER, accountId: 'demo', target: leg ? 'tel:9' : '' };
  const asks: Decided[] = [
    { type: 'AdoptRequested', leg, ...adopted, ...answered, ...(random(2) ? { dialog: DIALOG } : {}) },
    { type: 'RingRequested', leg: 0, sdp: random(2) ? OFFER : '' },
    { type: 'LocationRequested', leg, number: ['12125550100', '1'][random(2)]! },
    { type: 'GroupRequested', leg, group: 'no group', accountId: 'demo' },
    { type: 'AnswerRequested', leg: 0, sdp: OFFER },
    { type: 'AnswerRequested', leg: 0, sdp: OFFER },
    { type: 'HangupRequested', leg, ...end },
    { type: 'DialRequested', leg: 1 + random(2), ...dialled, sdp: OFFER },
    { type: 'DialRequested', leg: 1, ...dialled, target: 'sip:b@127.0.0.1', sdp: OFFER },
    { type: 'OfferRequested', leg, sdp: OFFER },
    { type: 'OfferAnswerRequested', leg, sdp: random(2) ? OFFER : '', status: 488, transaction },
  ];
  world.ask(callId, asks[random(asks.length)]!);
}

async function tell(seed: number): Promise<World> {
  const random = randomOf(seed);
  const world = await openWorld();
  for (let step = 0; step < STEPS; step++) {
    const callId = world.facts[0]?.callId;
    const what = random(20);
    if (!callId || what < 5) phoneSays(world, random);
    else if (what < 10) phoneAnswers(world, random);
    else if (what < 16) engineAsks(world, random, callId);
    else if (what < 19) world.clock.advance([10, 600, 2_500, 33_000][random(4)]!);
    else world.lost = !world.lost;
    await new Promise((done) => setImmediate(done));
  }
  // The flow lets go of everything, and nobody answers any more.
  for (const { id, leg } of legsOf(world)) {
    world.ask(id, { type: 'HangupRequested', leg, status: 486, q850: 16, reason: 'over', owner: 'us' });
  }
  for (let quiet = 0; quiet < 12; quiet++) {
    world.clock.advance(11_000);
    await new Promise((done) => setImmediate(done));
  }
  return world;
}

function legsOf(world: World): { id: string; leg: number }[] {
  const ids = [...new Set(world.facts.map(({ callId }) => callId))];
  return ids.flatMap((id) => [0, 1, 2].map((leg) => ({ id, leg })));
}

/** Facts that answer a request about a leg may follow its end; nothing else may. */
const MAY_FOLLOW = new Set(['AnswerFailed', 'OfferAnswered', 'OfferRefused']);

function check(world: World): void {
  const lives = Math.max(...world.facts.map(({ life }) => life), 0) + 1;
  for (const { id, leg, of } of legsOf(world).flatMap((one) =>
    Array.from({ length: lives }, (_, of) => ({ ...one, of })),
  )) {
    const about = world.facts.filter(
      ({ callId, life, fact }) => callId === id && life === of && 'leg' in fact && fact.leg === leg,
    );
    const types = about.map(({ fact }) => fact.type);
    const ends = types.filter((type) => type === 'LegEnded' || type === 'DialFailed');
    assert.ok(ends.length <= 1, `a leg ends once: ${types}`);
    const end = types.findIndex((type) => type === 'LegEnded' || type === 'DialFailed');
    const after = end < 0 ? [] : types.slice(end + 1).filter((type) => !MAY_FOLLOW.has(type));
    assert.deepEqual(after, [], `nothing follows an end: ${types}`);
    assert.ok(
      types.filter((type) => type === 'LegConfirmed').length <= 1 + types.filter((t) => t === 'OfferReceived').length,
    );
  }
  assert.equal(world.edge.liveCalls(), 0, 'every leg is over');
  assert.deepEqual(world.listener.held(), []);
  assert.equal(world.edge.transactions(), 0, 'no transaction outlives its call');
  assert.equal(world.clock.waiting(), 0, 'no timer outlives its call');
}

const only = Number(process.env.OPENTACT_SEED ?? 0);
const seeds = only > 0 ? [only] : Array.from({ length: STORIES }, (_, at) => 1 + at);

test('whatever phones and engines do: no leg ends twice, nothing follows an end, nothing outlives its call', async () => {
  for (const seed of seeds) {
    try {
      const world = await tell(seed);
      check(world);
      await world.edge.close();
    } catch (error) {
      throw new Error(`OPENTACT_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});
