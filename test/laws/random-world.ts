/** The world of a random call: what it answers to each request, and what happens in it by itself. */
import type { CallEvent, FactOf, Observed } from '@opentact/proto';
import { helperOf, rowOf } from '@opentact/proto/requests';
import type { Call } from '../../services/flow-engine/src/domain/call.ts';
import { type Random, randomDocument } from './random-document.ts';

export type Kind = 'media' | 'notifier' | 'sip-edge';
/** How often each node died so far; its boot is named after it. */
export type Boots = Record<Kind, number>;
export type Due = { at: number; fact: Observed; boot: number };

export const sourceOf = (fact: Observed): Kind =>
  /^(Leg|Dial|Answer|Offer|CallArrived|Location|Group|LookUp)/.test(fact.type)
    ? 'sip-edge'
    : /^Document/.test(fact.type)
      ? 'notifier'
      : 'media';

export const isDead = (to: { node: string; boot: string } | undefined, boots: Boots) =>
  to !== undefined && to.boot !== `b${boots[to.node as Kind]}`;

export function lostNode(random: Random, boots: Boots): Observed {
  const kind = random.of<Kind>(['media', 'media', 'notifier', 'sip-edge', 'sip-edge']);
  return { type: 'NodeLost', recover: true, kind, node: kind, boot: `b${boots[kind]}` };
}

/** What happens seldom, at any moment: orders, deaths, silence, offers, media that fails. */
export function strange(call: Call, random: Random): Observed {
  const leg = random.below(call.legs.length);
  const bridge = Object.values(call.outstanding).find((r) => r.type === 'BridgeRequested');
  return random.of<() => Observed>([
    () => ({ type: 'DocumentOrdered', idempotencyKey: `d${call.seq}`, xml: randomDocument(random) }),
    () => ({
      type: 'DocumentOrdered',
      idempotencyKey: `b${call.seq}`,
      xml: '<Response><Play leg="both">http://127.0.0.1/b.wav</Play><Tone leg="bleg"/><Pause/></Response>',
    }),
    () => ({
      type: 'DocumentOrdered',
      idempotencyKey: `u${call.seq}`,
      xml: '<Response><Unhold/><Say>back</Say></Response>',
    }),
    () => ({ type: 'BridgeOrdered', idempotencyKey: `p${call.seq}`, peerCallId: random.of(PEERS) }),
    () => joined(random.of(PEERS), call.seq, true),
    () => left(random.of(PEERS), call.seq),
    () => ({ type: 'HangupOrdered', idempotencyKey: `h${call.seq}` }),
    () => ({ type: 'MediaSilent', leg, silentMs: 60_000 }),
    () => ({ type: 'OfferReceived', leg, sdp: random.of(['', 'sdp']), transaction: `t${call.seq}` }),
    () =>
      bridge
        ? { type: 'BridgeEnded', requestId: bridge.seq, reason: 'lost' }
        : { type: 'LegConfirmed', leg, sdp: 'sdp' },
    () => ({ type: 'CallFaulted', reason: 'planned' }),
  ])();
}

/** Calls that this one may be connected to. */
const PEERS = ['11111111-0000-8000-8000-000000000000', '22222222-0000-8000-8000-000000000000'];

const joined = (peerCallId: string, peerSeq: number, hosts: boolean): Observed => ({
  type: 'PeerJoined',
  peerCallId,
  peerSeq,
  node: 'media',
  boot: 'b0',
  hosts,
});
const left = (peerCallId: string, peerSeq: number): Observed => ({
  type: 'PeerLeft',
  peerCallId,
  peerSeq,
  reason: 'ended',
  requestId: 0,
});

/** A call comes in, or one is ordered. */
export function beginning(xml: string, random: Random): Observed {
  const call = arrived(xml, random);
  if (random.chance(0.7)) return call;
  const { accountId, fromNumber, toNumber, app } = call;
  return {
    type: 'CallOrdered',
    accountId,
    fromNumber,
    toNumber,
    app: { ...app!, staticDocument: xml },
    target: 'sip:z@127.0.0.1:9',
    idempotencyKey: 'order',
    ringTimeoutMs: 20_000,
  };
}

function arrived(xml: string, random: Random): FactOf<'CallArrived'> {
  return {
    type: 'CallArrived',
    accountId: 'a',
    fromNumber: '12125550199',
    toNumber: '2',
    invite: Buffer.alloc(0),
    transport: 'udp',
    sourceAddress: '',
    localTag: '',
    sdp: 'offer',
    topBranch: '',
    requestUri: '',
    sipCallId: '',
    refusal: undefined,
    app: {
      appId: 'app',
      name: 'app',
      autoAnswer: random.chance(0.5),
      callFlowUrl: random.chance(0.3) ? 'http://127.0.0.1/' : '',
      callFlowMethod: 'GET',
      callFlowTimeoutMs: 0,
      staticDocument: random.chance(0.05) ? '' : xml, // without any it is parked
      maxCallLengthMs: 600_000,
      timeZone: '',
      recordCalls: random.below(3),
    },
  };
}

type Answer = { in: number; fact: Observed };

export function answersTo(event: CallEvent, call: Call, random: Random, boots: Boots): Answer[] {
  const requestId = event.seq;
  if (isDead(event.to, boots)) return givenUp(event);
  const soon = (fact: Observed, within = 200): Answer[] => [{ in: random.below(within), fact }];
  const lost = random.chance(0.05);
  switch (event.type) {
    case 'NodeRequested':
      return soon(
        lost
          ? { type: 'NodeUnavailable', requestId, kind: event.kind }
          : {
              type: 'NodeAssigned',
              requestId,
              kind: event.kind,
              node: event.kind,
              boot: `b${boots[event.kind as Kind]}`,
            },
        1,
      );
    case 'SessionRequested':
      return soon(
        lost
          ? { type: 'SessionFailed', requestId, leg: event.leg, reason: random.of(['full', 'no-codec']) }
          : { type: 'SessionReady', requestId, leg: event.leg, sdp: 'sdp' },
      );
    case 'SessionChangeRequested':
      if (lost)
        return soon({
          type: 'SessionChangeFailed',
          requestId,
          leg: event.leg,
          reason: random.of(['no-codec', 'lost']),
        });
      return soon({ type: 'SessionChanged', requestId, leg: event.leg, sdp: event.isOffer ? 'sdp' : '', held: false });
    case 'ReleaseRequested':
      if (lost) return [{ in: 5_000, fact: { type: 'RequestFailed', requestId, reason: 'unanswered' } }];
      return soon({ type: 'SessionReleased', requestId, leg: event.leg });
    case 'DocumentRequested':
      return lost
        ? soon({ type: 'DocumentFailed', requestId, reason: 'timeout', detail: '', status: 0 }, 9_000)
        : soon({
            type: 'DocumentFetched',
            requestId,
            status: 200,
            contentType: '',
            tookMs: 1,
            body: random.of(['', '<oops', '{"a":1,"b":"x"}', randomDocument(random)]),
          });
    case 'RingRequested':
      return soon({ type: 'LegRang', requestId, leg: event.leg, status: 180 });
    case 'AnswerRequested':
      return lost
        ? [
            ...soon({ type: 'AnswerFailed', requestId, leg: 0, reason: 'cancelled' }),
            ...soon({ type: 'LegEnded', leg: 0, by: 'peer', status: 487, q850: 16, reason: 'cancelled' }, 300),
          ]
        : [
            ...soon({ type: 'LegAnswered', requestId, leg: 0, sdp: '' }),
            ...soon({ type: 'LegConfirmed', leg: 0, sdp: '' }, 400),
          ];
    case 'DialRequested':
      return dialAnswers(event, random);
    case 'HangupRequested':
      return call.legs[event.leg]?.state === 'ended'
        ? soon({ type: 'RequestFailed', requestId, reason: 'unanswered' })
        : soon({ type: 'LegEnded', leg: event.leg, by: 'us', status: 0, q850: 16, reason: event.reason });
    case 'PlayRequested':
      return event.loop === 0
        ? []
        : soon(
            lost
              ? { type: 'PlayFailed', requestId, reason: 'fetch', detail: '' }
              : { type: 'PlayFinished', requestId, playedMs: 1 },
            5_000,
          );
    case 'PlayStopRequested':
      return soon({ type: 'PlayStopped', requestId: event.play, playedMs: 1 });
    case 'RecordRequested':
      return soon(
        lost
          ? { type: 'RecordFailed', requestId, reason: 'disk' }
          : { type: 'RecordFinished', requestId, recordingId: event.recordingId, durationMs: 1, reason: 'silence' },
        9_000,
      );
    case 'RecordStopRequested':
      return soon({
        type: 'RecordFinished',
        requestId: event.record,
        recordingId: '',
        durationMs: 1,
        reason: 'stopped',
      });
    case 'OfferAnswerRequested':
      return soon({ type: 'OfferAnswered', requestId, leg: event.leg });
    case 'OfferRequested':
      if (lost) return soon({ type: 'OfferRefused', requestId, leg: event.leg, status: 488 });
      return soon({ type: 'OfferAccepted', requestId, leg: event.leg, sdp: 'sdp' });
    case 'AdoptRequested':
      if (lost) return soon({ type: 'LegEnded', leg: event.leg, by: 'us', status: 0, q850: 41, reason: 'no-dialog' });
      return soon({ type: 'LegAdopted', requestId, leg: event.leg });
    case 'BridgeRequested':
      return soon({ type: 'BridgeStarted', requestId });
    case 'BridgeStopRequested':
      return soon({ type: 'BridgeEnded', requestId: event.bridge, reason: 'stopped' });
    case 'TranscriptRequested':
      return soon(
        lost
          ? { type: 'TranscriptFailed', requestId, recordingId: event.recordingId, reason: 'timeout' }
          : { type: 'TranscriptReady', requestId, recordingId: event.recordingId, text: 'words' },
        20_000,
      );
    case 'LocationRequested':
      return soon(
        lost
          ? { type: 'LookUpFailed', requestId, reason: 'unavailable' }
          : { type: 'LocationFound', requestId, state: random.of(['NY', 'NJ', '']), county: '' },
      );
    case 'GroupRequested':
      return soon(
        lost
          ? { type: 'LookUpFailed', requestId, reason: 'unknown' }
          : { type: 'GroupFound', requestId, targets: random.of([[], ['sip:d@127.0.0.1:9', 'sip:e@127.0.0.1:9']]) },
      );
    case 'PeerLeaveRequested':
      return soon({ type: 'PeerTold', requestId });
    case 'PeerJoinRequested': {
      const { peerCallId } = event;
      if (lost) return soon({ type: 'PeerLeft', peerCallId, peerSeq: 0, reason: 'gone', requestId });
      const told: Answer[] = soon({ type: 'PeerTold', requestId });
      // The other comes to us, and either may leave.
      const ready: Answer[] =
        event.hosts && !random.chance(0.1) ? soon(joined(peerCallId, requestId, false), 2_000) : [];
      const leaves: Answer[] = random.chance(0.7) ? soon(left(peerCallId, requestId + 1), 20_000) : [];
      return [...told, ...ready, ...leaves];
    }
    case 'TimerSet':
      return [{ in: event.dueAt - event.at, fact: { type: 'TimerFired', timerId: event.seq, purpose: event.purpose } }];
    default: {
      // A node that serves the call as a whole: the first fact of its row, or that nobody answered.
      const answer = helperOf(event.type) && rowOf(event.type)?.settledBy[0];
      if (answer && !lost) return soon({ type: answer, requestId } as Observed);
      return answer ? soon({ type: 'RequestFailed', requestId, reason: 'unanswered' }) : [];
    }
  }
}

/** What the dispatcher says about the requests of a dead node that the core leaves to it. */
function givenUp(event: CallEvent): Answer[] {
  const requestId = event.seq;
  if (event.type === 'ReleaseRequested')
    return [{ in: 100, fact: { type: 'RequestFailed', requestId, reason: 'lost' } }];
  if (event.type !== 'DocumentRequested') return [];
  return [{ in: 5_000, fact: { type: 'DocumentFailed', requestId, reason: 'unanswered', detail: '', status: 0 } }];
}

function dialAnswers(event: CallEvent & { type: 'DialRequested' }, random: Random): Answer[] {
  const { leg, seq: requestId } = event;
  const ring = { in: random.below(500), fact: { type: 'LegRang', requestId, leg, status: 180 } as const };
  const within = random.below(30_000);
  if (random.chance(0.3))
    return [
      ring,
      {
        in: within,
        fact: { type: 'DialFailed', requestId, leg, status: random.of([486, 603, 404]), q850: 17, reason: 'busy' },
      },
    ];
  if (random.chance(0.2)) return [ring];
  return [
    ring,
    { in: within, fact: { type: 'LegAnswered', requestId, leg, sdp: 'sdp' } },
    {
      in: within + random.below(20_000),
      fact: { type: 'LegEnded', leg, by: 'peer', status: 0, q850: 16, reason: 'bye' },
    },
  ];
}
