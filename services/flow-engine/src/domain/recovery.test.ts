/** A node of the call dies: the same requests go on elsewhere, and nobody who listens or talks is forgotten. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent, Decided, FactType, Observed, Reported } from '@opentact/proto/events';
import { parseDocument } from '../xml/document.ts';
import { type Call, newCall } from './call.ts';
import { isHeldBack } from './recovery.ts';
import { stepWith } from './step.ts';

const step = stepWith(parseDocument);
const GATHER = '<Gather numDigits="2" timeout="9000"><Say>Two digits.</Say></Gather><Say>Back.</Say>';
const DIAL = '<Dial><Sip>a@127.0.0.1:9</Sip></Dial><Say>Back.</Say>';

/** A call whose nodes are called `media-1`, `media-2` …; look-ups are answered at once, as the engine does. */
function tell(verbs: string, autoAnswer = true) {
  let call = newCall('00000000-0000-8000-8000-000000000000');
  let at = 1_000;
  const counts: Record<string, number> = {};
  const boots = { media: 1, notifier: 1, 'sip-edge': 1 };
  const events: CallEvent[] = [];
  function learn(fact: Observed, source?: string): CallEvent[] {
    at += 10;
    if (source) counts[source] = (counts[source] ?? 0) + 1;
    const from = source && { source, boot: 'b', n: counts[source]!, observedAt: at };
    const stepped = step(call, { ...fact, ...(from && { from }) } as Reported, at);
    call = stepped.call;
    events.push(...stepped.events);
    return stepped.events;
  }
  const teller = {
    events,
    get call(): Call {
      return call;
    },
    learn,
    /** The outstanding request of a type. */
    open<T extends Decided['type']>(type: T, leg?: number) {
      const found = Object.values(call.outstanding).find(
        (e) => e.type === type && (leg === undefined || ('leg' in e && e.leg === leg)),
      );
      assert.ok(found, `no ${type} is outstanding: ${Object.values(call.outstanding).map((e) => e.type)}`);
      return found as Extract<CallEvent<Decided>, { type: T }>;
    },
    has: (type: FactType) => Object.values(call.outstanding).some((e) => e.type === type),
    lookUps(): void {
      for (const e of Object.values(call.outstanding))
        if (e.type === 'NodeRequested') {
          const kind = e.kind as keyof typeof boots;
          learn({ type: 'NodeAssigned', requestId: e.seq, kind, node: `${kind}-${boots[kind]}`, boot: 'b' });
        }
    },
    lose(kind: keyof typeof boots): CallEvent[] {
      const lost = learn({ type: 'NodeLost', kind, node: `${kind}-${boots[kind]++}`, boot: 'b', recover: true });
      teller.lookUps();
      return lost;
    },
    ready(leg: number, sdp: string) {
      const { seq, to } = teller.open('SessionRequested', leg);
      return learn({ type: 'SessionReady', requestId: seq, leg, sdp }, to!.node);
    },
    answered(dialog?: Extract<Observed, { type: 'LegAnswered' }>['dialog']): void {
      teller.ready(0, 'ours');
      const requestId = teller.open('AnswerRequested').seq;
      learn({ type: 'LegAnswered', requestId, leg: 0, sdp: '', ...(dialog && { dialog }) }, 'sip-edge-1');
    },
  };
  const app = {
    appId: 'app',
    name: 'app',
    autoAnswer,
    callFlowUrl: '',
    callFlowMethod: 'GET',
    callFlowTimeoutMs: 0,
    staticDocument: `<Response>${verbs}</Response>`,
    maxCallLengthMs: 0,
    timeZone: '',
  };
  const arrived = {
    type: 'CallArrived',
    accountId: 'a',
    fromNumber: '1',
    toNumber: '2',
    transport: 'udp',
    app,
  } as const;
  const names = { sourceAddress: '127.0.0.1:1', localTag: 't', topBranch: 'b', requestUri: 'u', sipCallId: 'i' };
  learn({ ...arrived, ...names, invite: Buffer.from('INVITE \xff', 'latin1'), sdp: 'theirs' }, 'sip-edge-1');
  teller.lookUps();
  return teller;
}

const dialog = {
  callId: 'i',
  localTag: 't',
  remoteTag: 'r',
  localAddress: '',
  remoteAddress: '',
  remoteTarget: '',
  routes: [],
  transport: 'udp',
  peerAddress: '127.0.0.1:1',
};

test('a lost media node: the caller is offered another, then the same prompt is asked of it under the same seq', () => {
  const t = tell(GATHER);
  t.answered();
  const play = t.open('PlayRequested');
  t.learn({ type: 'DigitPressed', leg: 0, digit: '1', durationMs: 100 }, 'media-1');
  const stop = t.open('PlayStopRequested');
  t.lose('media');
  assert.ok(isHeldBack(t.call, t.open('PlayRequested')));
  t.ready(0, 'ours anew');
  assert.equal(t.open('OfferRequested').sdp, 'ours anew');
  assert.ok(isHeldBack(t.call, t.open('PlayRequested')));
  t.learn({ type: 'OfferAccepted', requestId: t.open('OfferRequested').seq, leg: 0, sdp: 'theirs anew' }, 'sip-edge-1');
  assert.equal(t.open('SessionChangeRequested').sdp, 'theirs anew');
  for (const seq of [play.seq, stop.seq]) {
    assert.equal(t.call.outstanding[seq]?.to?.node, 'media-2');
    assert.ok(!isHeldBack(t.call, t.call.outstanding[seq]!));
  }
  t.learn({ type: 'DigitPressed', leg: 0, digit: '2', durationMs: 100 }, 'media-2');
  assert.equal(t.events.findLast((e) => e.type === 'VerbEnded')?.reason, 'entered 12');
});

test('a caller who was told nothing yet is told nothing: the other node answers the same offer', () => {
  const t = tell('<Say>Hi.</Say>');
  t.lose('media');
  assert.equal(t.open('SessionRequested').offer, 'theirs');
  t.ready(0, 'ours');
  assert.equal(t.open('AnswerRequested').sdp, 'ours');
  assert.ok(!t.has('OfferRequested'));
});

test('a peer that waits for our answer hears of the new session by it', () => {
  const t = tell('<Pause length="9000"/>');
  t.answered();
  t.learn({ type: 'OfferReceived', leg: 0, sdp: 'hold', transaction: 'x' }, 'sip-edge-1');
  t.lose('media');
  assert.equal(t.open('SessionRequested').offer, 'hold');
  t.ready(0, 'held');
  const { sdp, status, transaction } = t.open('OfferAnswerRequested');
  assert.deepEqual([sdp, status, transaction], ['held', 200, 'x']);
  assert.ok(!t.has('OfferRequested'));
});

test('a callee who answers after media died is offered the session that there is now, and then bridged', () => {
  const t = tell(DIAL);
  t.answered();
  t.ready(1, 'for the callee');
  const { seq } = t.open('DialRequested');
  t.lose('media');
  t.ready(0, 'caller anew');
  t.ready(1, 'callee anew');
  assert.equal(t.events.filter((e) => e.type === 'DialRequested').length, 1);
  t.learn({ type: 'LegAnswered', requestId: seq, leg: 1, sdp: 'callee' }, 'sip-edge-1');
  assert.equal(t.open('OfferRequested', 1).sdp, 'callee anew');
  assert.ok(isHeldBack(t.call, t.open('BridgeRequested')));
});

test('a phone that refuses the new session can’t be heard any more and is hung up', () => {
  const t = tell(GATHER);
  t.answered();
  t.lose('media');
  t.ready(0, 'ours anew');
  t.learn({ type: 'OfferRefused', requestId: t.open('OfferRequested').seq, leg: 0, status: 488 }, 'sip-edge-1');
  assert.equal(t.open('HangupRequested').reason, 'media-lost');
});

test('what a lost media node still says answers nothing, and what it holds stays to be given back', () => {
  const t = tell(GATHER);
  t.answered();
  const play = t.open('PlayRequested');
  t.lose('media');
  t.ready(0, 'ours anew');
  t.learn({ type: 'PlayFinished', requestId: play.seq, playedMs: 1 }, 'media-1');
  assert.equal(t.call.outstanding[play.seq]?.to?.node, 'media-2');
  assert.equal(t.open('ReleaseRequested').to?.node, 'media-1');
});

test('no other media node in time: the call is hung up, and by us', () => {
  const t = tell(GATHER);
  t.answered();
  t.learn({ type: 'NodeLost', kind: 'media', node: 'media-1', boot: 'b', recover: true });
  t.learn({ type: 'NodeUnavailable', requestId: t.open('NodeRequested').seq, kind: 'media' });
  const { reason, owner } = t.open('HangupRequested');
  assert.deepEqual([reason, owner], ['media-lost', 'us']);
});

test('a lost edge before the answer: another gets the INVITE, byte for byte, and then the answer to give', () => {
  const t = tell('<Say>Hi.</Say>');
  t.ready(0, 'ours');
  t.lose('sip-edge');
  const { invite, transport, sourceAddress, answer, to } = t.open('AdoptRequested');
  assert.deepEqual([invite, transport, sourceAddress, answer], ['INVITE \xff', 'udp', '127.0.0.1:1', 0]);
  assert.equal(to?.node, 'sip-edge-2');
  assert.ok(isHeldBack(t.call, t.open('AnswerRequested')));
  t.learn({ type: 'LegAdopted', requestId: t.open('AdoptRequested').seq, leg: 0 }, 'sip-edge-2');
  assert.ok(!isHeldBack(t.call, t.open('AnswerRequested')));
  assert.equal(t.open('AnswerRequested').to?.node, 'sip-edge-2');
});

test('a lost edge after the answer: what is still owed to the caller is told, and forgotten once it is acknowledged', () => {
  const before = tell('<Pause length="9000"/>');
  before.answered(dialog);
  before.lose('sip-edge');
  const owed = before.open('AdoptRequested');
  assert.deepEqual([owed.answerSdp, owed.dialog, owed.invite], ['ours', dialog, 'INVITE \xff']);
  assert.equal(owed.answer, before.events.find((e) => e.type === 'AnswerRequested')!.seq);
  const after = tell('<Pause length="9000"/>');
  after.answered(dialog);
  after.learn({ type: 'LegConfirmed', leg: 0, sdp: '' }, 'sip-edge-1');
  after.lose('sip-edge');
  const nothing = after.open('AdoptRequested');
  assert.deepEqual([nothing.answer, nothing.answerSdp, nothing.invite, nothing.dialog], [0, '', '', dialog]);
});

test('a lost edge while a callee rings: the same dial goes out by another edge, and needs no adoption', () => {
  const t = tell(DIAL);
  t.answered(dialog);
  t.ready(1, 'for the callee');
  const { seq } = t.open('DialRequested');
  t.lose('sip-edge');
  assert.equal(t.call.outstanding[seq]?.to?.node, 'sip-edge-2');
  assert.ok(!isHeldBack(t.call, t.call.outstanding[seq]!));
  assert.deepEqual(
    t.events.flatMap((e) => (e.type === 'AdoptRequested' ? [e.leg] : [])),
    [0],
  );
});

test('an offer that its edge took along is offered again by the phone, and answered once', () => {
  const t = tell('<Pause length="9000"/>');
  t.answered(dialog);
  t.learn({ type: 'OfferReceived', leg: 0, sdp: 'hold', transaction: 'x' }, 'sip-edge-1');
  t.lose('sip-edge');
  t.learn({ type: 'OfferReceived', leg: 0, sdp: 'hold', transaction: 'x' }, 'sip-edge-2');
  assert.equal(t.events.filter((e) => e.type === 'SessionChangeRequested').length, 1);
  const requestId = t.open('SessionChangeRequested').seq;
  t.learn({ type: 'SessionChanged', requestId, leg: 0, sdp: 'held', held: true }, 'media-1');
  assert.equal(t.open('OfferAnswerRequested').to?.node, 'sip-edge-2');
});

test('no other edge in time: the call is over, and owes nobody anything', () => {
  const t = tell('<Pause length="9000"/>');
  t.answered(dialog);
  t.learn({ type: 'NodeLost', kind: 'sip-edge', node: 'sip-edge-1', boot: 'b', recover: true });
  t.learn({ type: 'NodeUnavailable', requestId: t.open('NodeRequested').seq, kind: 'sip-edge' });
  assert.equal(t.call.ended?.reason, 'edge-lost');
  assert.deepEqual(
    Object.values(t.call.outstanding).map((e) => e.type),
    ['ReleaseRequested'],
  );
});

test('an edge that dies with our BYE unsaid is replaced for that BYE', () => {
  const t = tell('<Say>Bye.</Say>');
  t.answered(dialog);
  t.learn({ type: 'PlayFinished', requestId: t.open('PlayRequested').seq, playedMs: 1 }, 'media-1');
  const { seq } = t.open('HangupRequested');
  t.lose('sip-edge');
  t.learn({ type: 'LegAdopted', requestId: t.open('AdoptRequested').seq, leg: 0 }, 'sip-edge-2');
  assert.equal(t.call.outstanding[seq]?.to?.node, 'sip-edge-2');
  assert.ok(!isHeldBack(t.call, t.call.outstanding[seq]!));
});

test('the INVITE heard again by the edge that took the call over changes nothing', () => {
  const t = tell('<Pause length="9000"/>');
  t.answered(dialog);
  const before = JSON.stringify([t.call.legs, t.call.flow, t.call.outstanding]);
  const { type: _, callId: __, seq: ___, at: ____, from: _____, ...arrived } = t.events[0]!;
  t.learn({ type: 'CallArrived', ...arrived } as Observed, 'sip-edge-2');
  assert.equal(JSON.stringify([t.call.legs, t.call.flow, t.call.outstanding]), before);
});

test('back at a node that was lost before: its old release takes nothing of the new session along', () => {
  const t = tell(GATHER);
  t.answered();
  const play = t.open('PlayRequested');
  t.learn({ type: 'NodeLost', kind: 'media', node: 'media-1', boot: 'b', recover: true });
  const release = t.open('ReleaseRequested');
  const assign = (node: string) =>
    t.learn({ type: 'NodeAssigned', requestId: t.open('NodeRequested').seq, kind: 'media', node, boot: 'b' });
  assign('media-2');
  t.learn({ type: 'NodeLost', kind: 'media', node: 'media-2', boot: 'b', recover: true });
  assign('media-1');
  t.learn({ type: 'SessionReleased', requestId: release.seq, leg: 0 }, 'media-1');
  assert.equal(t.open('SessionRequested').to?.node, 'media-1');
  assert.equal(t.call.outstanding[play.seq]?.to?.node, 'media-1');
});

test('a lost media node hears silence, and that ends nothing', () => {
  const t = tell(GATHER);
  t.answered();
  t.lose('media');
  t.ready(0, 'ours anew');
  t.learn({ type: 'MediaSilent', leg: 0, silentMs: 60_000 }, 'media-1');
  assert.ok(!t.has('HangupRequested'));
});

test('before another node is found, the lost one’s last words end no verb', () => {
  const t = tell('<Record tag="r"/>');
  t.answered();
  const { seq, recordingId } = t.open('RecordRequested');
  t.learn({ type: 'NodeLost', kind: 'media', node: 'media-1', boot: 'b', recover: true });
  t.learn({ type: 'RecordFinished', requestId: seq, recordingId, durationMs: 1, reason: 'released' }, 'media-1');
  assert.ok(t.call.outstanding[seq]);
  assert.ok(!t.events.some((e) => e.type === 'VerbEnded'));
});

test('an offer that nobody answers is as good as refused', () => {
  const t = tell(GATHER);
  t.answered();
  t.lose('media');
  t.ready(0, 'ours anew');
  t.learn({ type: 'RequestFailed', requestId: t.open('OfferRequested').seq, reason: 'unanswered' });
  assert.equal(t.open('HangupRequested').reason, 'media-lost');
});

test('media dies while an offer waits, then the edge with the offer: the peer is offered the new session', () => {
  const t = tell('<Pause length="9000"/>');
  t.answered(dialog);
  t.learn({ type: 'OfferReceived', leg: 0, sdp: 'hold', transaction: 'x' }, 'sip-edge-1');
  t.lose('media');
  t.lose('sip-edge');
  t.ready(0, 'ours anew');
  assert.equal(t.open('OfferRequested').sdp, 'ours anew');
  assert.ok(isHeldBack(t.call, t.open('OfferRequested')));
  t.learn({ type: 'LegAdopted', requestId: t.open('AdoptRequested').seq, leg: 0 }, 'sip-edge-2');
  assert.equal(t.open('OfferRequested').to?.node, 'sip-edge-2');
});

test('the words of a recording are asked of another media node, also when the call is over', () => {
  const t = tell('<Record asr="true" tag="v"/>');
  t.answered();
  const record = t.open('RecordRequested');
  const { recordingId } = record;
  t.learn({ type: 'RecordFinished', requestId: record.seq, recordingId, durationMs: 900, reason: 'key' }, 'media-1');
  const asked = t.open('TranscriptRequested');
  t.learn({ type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: 'bye' }, 'sip-edge-1');
  t.learn({ type: 'SessionReleased', requestId: t.open('ReleaseRequested').seq, leg: 0 }, 'media-1');
  t.lose('media');
  assert.deepEqual([t.open('TranscriptRequested').seq, t.open('TranscriptRequested').to?.node], [asked.seq, 'media-2']);
  t.learn({ type: 'TranscriptReady', requestId: asked.seq, recordingId, text: 'words' }, 'media-2');
  assert.deepEqual(t.call.outstanding, {});
});

test('whom a group rings is dialled once there is media again', () => {
  const t = tell('<Dial><Group>7d9a3c1e-8f20-4d53-9a11-5d0e2f4b6c70</Group></Dial>');
  t.answered();
  const asked = t.open('GroupRequested');
  t.learn({ type: 'NodeLost', kind: 'media', node: 'media-1', boot: 'b', recover: true });
  t.learn({ type: 'GroupFound', requestId: asked.seq, targets: ['sip:a@127.0.0.1:9'] }, 'sip-edge-1');
  assert.ok(!Object.values(t.call.outstanding).some((e) => e.type === 'SessionRequested' && e.leg === 1));
  const { seq: requestId } = t.open('NodeRequested');
  t.learn({ type: 'NodeAssigned', requestId, kind: 'media', node: 'media-2', boot: 'b' });
  t.ready(0, 'ours anew');
  t.ready(1, 'theirs');
  assert.equal(t.open('DialRequested').target, 'sip:a@127.0.0.1:9');
});

test('who hears early media goes on hearing it, and is offered the new session once he is answered', () => {
  const t = tell('<Say loop="0">Early.</Say>', false);
  t.ready(0, 'ours');
  assert.equal(t.open('RingRequested').sdp, 'ours');
  t.lose('media');
  t.ready(0, 'ours anew');
  assert.ok(!isHeldBack(t.call, t.open('PlayRequested')));
  assert.equal(t.open('PlayRequested').to?.node, 'media-2');
  t.learn({ type: 'DocumentOrdered', idempotencyKey: 'k', xml: '<Response><Answer/><Pause/></Response>' });
  t.learn({ type: 'LegAnswered', requestId: t.open('AnswerRequested').seq, leg: 0, sdp: '' }, 'sip-edge-1');
  assert.equal(t.open('OfferRequested').sdp, 'ours anew');
});

test('an edge that leaves hangs up what it holds: the ending is ours, and no Dial has succeeded by it', () => {
  const t = tell('<Pause length="9000"/>');
  t.answered();
  t.learn({ type: 'LegEnded', leg: 0, by: 'us', status: 0, q850: 41, reason: 'bye' }, 'sip-edge-1');
  const ended = t.events.find((e) => e.type === 'CallEnded');
  assert.ok(ended?.type === 'CallEnded');
  assert.deepEqual([ended.owner, ended.reason, ended.q850], ['us', 'shutdown', 41]);
  const d = tell(DIAL);
  d.answered();
  d.ready(1, 'offer');
  d.learn({ type: 'LegAnswered', requestId: d.open('DialRequested').seq, leg: 1, sdp: 'yes' }, 'sip-edge-1');
  d.learn({ type: 'LegEnded', leg: 1, by: 'us', status: 0, q850: 41, reason: 'bye' }, 'sip-edge-1');
  const dial = d.events.find((e) => e.type === 'VerbEnded');
  assert.deepEqual(dial?.type === 'VerbEnded' && [dial.success, dial.reason], [false, 'shutdown']);
});
