/**
 * A random call: a random document against a random world, which answers late, twice, wrongly or not at all. Everything
 * follows from the seed. Shared by the laws; it asserts nothing itself.
 */
import type { CallEvent, Observed, Reported } from '@opentact/proto';
import { isReportable } from '@opentact/proto/observations';
import { type Call, newCall } from '../../services/flow-engine/src/domain/call.ts';
import { lostNodes } from '../../services/flow-engine/src/domain/nodes.ts';
import { wasHeard } from '../../services/flow-engine/src/domain/peer-words.ts';
import { isHeldBack } from '../../services/flow-engine/src/domain/recovery.ts';
import { stepWith } from '../../services/flow-engine/src/domain/step.ts';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';
import { randomDocument, randomOf } from './random-document.ts';
import {
  answersTo,
  type Boots,
  beginning,
  type Due,
  isDead,
  type Kind,
  lostNode,
  sourceOf,
  strange,
} from './random-world.ts';

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
  let due: Due[] = [{ at: 0, fact: beginning(xml, random), boot: 0 }];
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

/** What a dispatcher would attend to now: outstanding, not held back, and not yet asked of this node, dead or alive. */
function newlyAsked(call: Call, asked: Map<number, string>, boots: Boots): CallEvent[] {
  return Object.values(call.outstanding).filter((request) => {
    const of = `${request.to?.node}/${request.to?.boot}/${isDead(request.to, boots)}`;
    if (isHeldBack(call, request) || asked.get(request.seq) === of) return false;
    asked.set(request.seq, of);
    return true;
  });
}

/** Timers are the engine's own: it never fires one that is not set. */
function possible(call: Call, fact: Observed): boolean {
  if (fact.type === 'NodeLost')
    return lostNodes(call, (at) => at.node === fact.node && at.boot === fact.boot).length > 0;
  if (fact.type === 'CallArrived' || fact.type === 'CallOrdered') return call.seq === 0;
  if ('idempotencyKey' in fact && fact.type !== ('DocumentRequested' as string))
    return call.state === 'live' && !call.ending;
  if (/^Peer(Joined|Left)$/.test(fact.type) && !('requestId' in fact && fact.requestId > 0)) {
    if (call.state !== 'live' || wasHeard(call, fact as never)) return false;
  }
  return fact.type !== 'TimerFired' || call.timers[fact.timerId] !== undefined;
}
