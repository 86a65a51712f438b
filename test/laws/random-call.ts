/**
 * A random call: a random document against a random world, which answers late, twice, wrongly or not at all. Everything
 * follows from the seed. Shared by the laws; it asserts nothing itself.
 */
import type { CallEvent, Observed, Reported } from '@opentact/proto';
import { type Call, newCall } from '../../services/flow-engine/src/domain/call.ts';
import { lostNodes } from '../../services/flow-engine/src/domain/nodes.ts';
import { isReportable } from '../../services/flow-engine/src/domain/observed.ts';
import { isHeldBack } from '../../services/flow-engine/src/domain/recovery.ts';
import { stepWith } from '../../services/flow-engine/src/domain/step.ts';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';

/** A small generator of reproducible numbers (mulberry32). */
export function randomOf(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    below: (n: number) => Math.floor(next() * n),
    chance: (p: number) => next() < p,
    of: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!,
  };
}
export type Random = ReturnType<typeof randomOf>;

/** A random document of the language, well-formed and accepted. */
export function randomDocument(random: Random): string {
  const verb = (depth: number): string => {
    const simple = [
      '<Say>hello</Say>',
      '<Play>http://127.0.0.1/a.wav</Play>',
      '<Pause length="500" dtmf_stop="5"/>',
      '<Answer/>',
      '<Say loop="0">again</Say>',
      '<Record tag="r"/>',
      '<Play record="r"/>',
      '<Callback url="http://127.0.0.1/c"/>',
      '<Hangup/>',
      '<Reject/>',
      '<Redirect>http://127.0.0.1/r</Redirect>',
      '<Tone leg="both" loop="0" timeout="3000"/>',
      '<Tone don="100" doff="100"><Meta name="m" value="7"/></Tone>',
      '<Play leg="bleg">http://127.0.0.1/b.wav</Play>',
      '<Hold timeout="20000"/>',
      '<Hold timeout="9000"><Say>wait</Say><Pause/></Hold>',
      '<Unhold/>',
      '<RecordStart tag="s" asr="true"/>',
      '<RecordStop tag="s"/>',
      '<RecordWait timeout="4000"/>',
      '<Record tag="t" asr="true"/>',
      '<Meta name="n" value="x"/>',
      '<Curl url="http://127.0.0.1/j" tag="j"/>',
    ];
    if (depth === 0 || random.chance(0.4)) return random.of(simple);
    const block = () => verbs(depth - 1);
    return random.of([
      () =>
        `<Gather numDigits="${1 + random.below(3)}" attempts="${1 + random.below(2)}" timeout="5000"><Say>press</Say><Switch><Case dtmf="1">${block()}</Case><Default>${block()}</Default><Error>${block()}</Error></Switch></Gather>`,
      () => `<Gather url="http://127.0.0.1/g" dtmf_stop="#"><Error>${block()}</Error></Gather>`,
      () =>
        `<Dial timeout="${5 + random.below(20)}"><Sip>a@127.0.0.1:9</Sip>${random.chance(0.5) ? '<Sip>b@127.0.0.1:9</Sip>' : ''}<Error>${block()}</Error></Dial>`,
      () => `<Record tag="b">${block()}</Record>`,
      () => `<Call field="meta.n" value="x">${block()}</Call>`,
      () => `<Geo states="NY">${block()}</Geo>`,
      () => `<Schedule dow="thu" time="00:00:00-12:00:00">${block()}</Schedule>`,
      () =>
        `<Dial hangup_on_bye="true"><Group>7d9a3c1e-8f20-4d53-9a11-5d0e2f4b6c70</Group>${random.chance(0.5) ? '<Sip>c@127.0.0.1:9</Sip>' : ''}</Dial>`,
      () => `<Curl url="http://127.0.0.1/j" method="POST"><Error>${block()}</Error></Curl>`,
      () => `<Callback url="http://127.0.0.1/c"><Error>${block()}</Error></Callback>`,
    ])();
  };
  const verbs = (depth: number): string => Array.from({ length: random.below(4) }, () => verb(depth)).join('');
  return `<Response>${verbs(3)}${random.chance(0.3) ? '<Error><Say>sorry</Say></Error>' : ''}</Response>`;
}

/** Everything that happened: each learned fact with what the core held before it, for the laws to look at. */
export type Run = { seed: number; xml: string; events: CallEvent[]; call: Call; facts: number };

/**
 * Runs a random call until nothing is due. Nodes answer in random order; a share of answers comes twice, a share of
 * requests is never answered before its deadline, and the caller may vanish at any time.
 */
export function randomCall(seed: number): Run {
  const random = randomOf(seed);
  const step = stepWith(parseDocument);
  const xml = randomDocument(random);
  const events: CallEvent[] = [];
  const answered: Observed[] = [];
  let due: Due[] = [{ at: 0, fact: arrival(xml, random), boot: 0 }];
  const asked = new Map<number, string>();
  const boots: Boots = { media: 0, notifier: 0, 'sip-edge': 0 };
  let call = newCall('00000000-0000-8000-8000-000000000000');
  let now = 0;
  let facts = 0;
  while (due.length > 0 && facts < 3_000) {
    // Not always the earliest: reports of different nodes overtake each other.
    due.sort((a, b) => a.at - b.at);
    const [next] = due.splice(random.chance(0.2) ? random.below(Math.min(3, due.length)) : 0, 1);
    now = Math.max(now, next!.at);
    if (!possible(call, next!.fact)) continue;
    const source = sourceOf(next!.fact);
    // A dead node says nothing more; one that only seemed dead may.
    if (isReportable(next!.fact as CallEvent) && next!.boot !== boots[source] && !random.chance(0.1)) continue;
    if (next!.fact.type === 'NodeLost' && !isDead(next!.fact, boots)) boots[next!.fact.kind as Kind]++;
    const reported = {
      ...next!.fact,
      from: { source, boot: `b${next!.boot}`, n: ++facts, observedAt: now },
    } as Reported;
    const stepped = step(call, reported, now);
    call = stepped.call;
    events.push(...stepped.events);
    answered.push(next!.fact);
    const later = (within: number, fact: Observed) =>
      due.push({ at: now + random.below(within), fact, boot: boots[sourceOf(fact)] });
    for (const event of [...stepped.events.filter((e) => e.type === 'TimerSet'), ...newlyAsked(call, asked, boots)])
      for (const answer of answersTo(event, call, random, boots))
        due.push({ at: now + answer.in, fact: answer.fact, boot: boots[sourceOf(answer.fact)] });
    // A stale or repeated answer, out of nowhere.
    if (random.chance(0.05)) later(1, random.of(answered.filter((fact) => fact.type !== 'NodeLost')));
    if (call.state === 'live' && random.chance(0.02))
      later(2_000, { type: 'LegEnded', leg: 0, by: 'peer', status: 0, q850: 16, reason: 'bye' });
    if (call.state === 'live' && random.chance(0.2))
      later(3_000, { type: 'DigitPressed', leg: 0, digit: random.of(['1', '2', '5', '#', '*']), durationMs: 100 });
    if (call.state === 'live' && random.chance(0.03)) later(5_000, strange(call, random));
    if (random.chance(0.03)) later(1, lostNode(random, boots));
    for (const lost of lostNodes(call, (at) => isDead(at, boots)))
      later(300, { type: 'NodeLost', recover: true, ...lost });
    if (call.state === 'ended') due = due.filter((d) => !('timerId' in d.fact));
  }
  return { seed, xml, events, call, facts };
}

type Kind = 'media' | 'notifier' | 'sip-edge';
/** How often each node died so far; its boot is named after it. */
type Boots = Record<Kind, number>;
type Due = { at: number; fact: Observed; boot: number };

const sourceOf = (fact: Observed): Kind =>
  /^(Leg|Dial|Answer|Offer|CallArrived|Location|Group|LookUp)/.test(fact.type)
    ? 'sip-edge'
    : /^Document/.test(fact.type)
      ? 'notifier'
      : 'media';

const isDead = (to: { node: string; boot: string } | undefined, boots: Boots) =>
  to !== undefined && to.boot !== `b${boots[to.node as Kind]}`;

/** What a dispatcher would attend to now: outstanding, not held back, and not yet asked of this node, dead or alive. */
function newlyAsked(call: Call, asked: Map<number, string>, boots: Boots): CallEvent[] {
  return Object.values(call.outstanding).filter((request) => {
    const of = `${request.to?.node}/${request.to?.boot}/${isDead(request.to, boots)}`;
    if (isHeldBack(call, request) || asked.get(request.seq) === of) return false;
    asked.set(request.seq, of);
    return true;
  });
}

function lostNode(random: Random, boots: Boots): Observed {
  const kind = random.of<Kind>(['media', 'media', 'notifier', 'sip-edge', 'sip-edge']);
  return { type: 'NodeLost', recover: true, kind, node: kind, boot: `b${boots[kind]}` };
}

/** What happens seldom, at any moment: orders, deaths, silence, offers, media that fails. */
function strange(call: Call, random: Random): Observed {
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
    () => ({ type: 'HangupOrdered', idempotencyKey: `h${call.seq}` }),
    () => ({ type: 'MediaSilent', leg, silentMs: 60_000 }),
    () => ({ type: 'OfferReceived', leg, sdp: random.of(['', 'sdp']), transaction: `t${call.seq}` }),
    () =>
      bridge
        ? { type: 'BridgeEnded', requestId: bridge.seq, reason: 'lost' }
        : { type: 'LegConfirmed', leg, sdp: 'sdp' },
    () => ({ type: 'CallFaulted', reason: 'planned' }) as unknown as Observed,
  ])();
}

/** Timers are the engine's own: it never fires one that is not set. */
function possible(call: Call, fact: Observed): boolean {
  if (fact.type === 'NodeLost')
    return lostNodes(call, (at) => at.node === fact.node && at.boot === fact.boot).length > 0;
  if ('idempotencyKey' in fact && fact.type !== ('DocumentRequested' as string))
    return call.state === 'live' && !call.ending;
  if (fact.type === 'CallArrived') return call.seq === 0;
  return fact.type !== 'TimerFired' || call.timers[fact.timerId] !== undefined;
}

function arrival(xml: string, random: Random): Observed {
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
    },
  };
}

type Answer = { in: number; fact: Observed };

function answersTo(event: CallEvent, call: Call, random: Random, boots: Boots): Answer[] {
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
    case 'TimerSet':
      return [{ in: event.dueAt - event.at, fact: { type: 'TimerFired', timerId: event.seq, purpose: event.purpose } }];
    default:
      return [];
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
