/** What the flow does next. This half chooses; `flow-state.ts` learns. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import { type Call, outstandingOf, type Running } from './call.ts';
import { pathOf, upcoming } from './frames.ts';
import { jsonValueOf, withVariables } from './language/scalar.ts';
import type { Document, Variables, Verb } from './language/verb.ts';
import { answer, soundEarly } from './media.ts';
import { end, fail, hangup, hangupLeg } from './performer.ts';
import { performerOf } from './verbs/index.ts';

/** The next choice of the flow: begin a verb, answer for it, close a block, or end. Empty while something is awaited. */
export function advance(call: Call): Decided[] {
  const { flow } = call;
  if (call.state !== 'live' || call.ending) return [];
  if (call.outbound && call.legs[0]?.state !== 'answered') return []; // whom we ring hears nothing before it answers
  const answered = call.app.autoAnswer ? answer(call) : [];
  if (answered.length > 0) return answered;
  if (flow.running || flow.awaited || flow.document === 0 || !call.media) return [];
  const caller = call.legs[0];
  // An app that answers at once has answered before its first verb, and where its document is over before media is there.
  if (call.app.autoAnswer && (caller?.state === 'arrived' || caller?.state === 'answering')) return [];
  const { frames, verb, opener } = upcoming(flow);
  if (opener) return closeBlock(call, opener);
  if (!verb) return [hangup('document', 'document-end')];
  const { needs } = performerOf(verb);
  if (needs === 'answer' && caller?.state !== 'answered') return answer(call);
  if (needs === 'sound' && caller?.state !== 'answered' && !caller?.early) return soundEarly(call);
  const top = frames.at(-1)!;
  return [{ type: 'VerbStarted', document: top.document, path: pathOf(top, verb), name: verb.name, tag: verb.tag }];
}

/** The children of a block Record are done: close its file, unless it closed before them. */
function closeBlock(call: Call, opener: Running): Decided[] {
  const record = opener.memory.record ?? 0;
  const { failed } = opener.memory;
  if (!call.outstanding[record]) return [failed ? fail(call, opener, failed) : end(opener, true, 'recorded')];
  const asked = outstandingOf(call, 'RecordStopRequested', (e) => e.record === record).length > 0;
  return asked ? [] : [{ type: 'RecordStopRequested', leg: 0, record }];
}

/** What the running verb makes of an event. */
export function react(call: Call, event: CallEvent): Decided[] {
  const { running } = call.flow;
  if (call.ending) return [];
  const left = parted(call, event);
  if (!running) return left;
  const performer = performerOf(running.verb);
  if (event.type === 'VerbStarted' && event.seq === running.seq) {
    const { meta } = running.verb;
    if (!meta) return performer.begin(running.verb, call, running, event.at);
    // What the verb asks for is chosen knowing the variables that are set with it.
    const knowing = { ...call, flow: { ...call.flow, meta: withVariables(call.flow.meta ?? {}, meta) } };
    return [metaSet(meta), ...performer.begin(running.verb, knowing, running, event.at)];
  }
  return [...left, ...performer.on(event, running.verb, call, running)];
}

const metaSet = (meta: Variables): Decided => ({
  type: 'MetaSet',
  variables: Object.entries(meta).map(([name, value]) => ({ name, json: JSON.stringify(jsonValueOf(value)) })),
});

/**
 * Stops whatever the flow has sounding, recording or dialled: its document is being replaced. Whom the caller is
 * connected to stays where the next document speaks to them.
 */
export function quiet(call: Call, next?: Document): Decided[] {
  const stops: Decided[] = [];
  const stopped = new Set(
    Object.values(call.outstanding).map((r) =>
      r.type === 'PlayStopRequested' ? r.play : r.type === 'RecordStopRequested' ? r.record : 0,
    ),
  );
  for (const { type, seq, ...request } of Object.values(call.outstanding)) {
    if (stopped.has(seq) || !('leg' in request)) continue;
    if (type === 'PlayRequested') stops.push({ type: 'PlayStopRequested', leg: request.leg, play: seq });
    // What records behind the flow goes on behind the next one.
    if (type === 'RecordRequested' && !('both' in request && request.both))
      stops.push({ type: 'RecordStopRequested', leg: request.leg, record: seq });
  }
  for (const [leg, { state }] of call.legs.entries()) {
    if (leg === 0 || state === 'ended' || (next && isBridged(call, leg) && speaks(next))) continue;
    if (state === 'preparing') stops.push({ type: 'ReleaseRequested', leg });
    else if (outstandingOf(call, 'HangupRequested', (e) => e.leg === leg).length === 0)
      stops.push(hangupLeg(leg, 'document', 'replaced'));
  }
  return stops;
}

/** Is some verb of them, or of a block in them, heard by the other party? */
const speaksToOther = (verbs: readonly Verb[]): boolean =>
  verbs.some(
    (verb) =>
      ('leg' in verb && verb.leg !== undefined && verb.leg !== 'aleg') ||
      ('verbs' in verb && verb.verbs !== undefined && speaksToOther(verb.verbs)) ||
      ('error' in verb && verb.error !== undefined && speaksToOther(verb.error)) ||
      (verb.name === 'Gather' &&
        (speaksToOther(verb.default ?? []) || verb.branches.some((branch) => speaksToOther(branch.verbs)))),
  );

const speaks = ({ verbs, error = [] }: Document) => speaksToOther([...verbs, ...error]);

const isBridged = (call: Call, leg: number) =>
  call.legs[leg]?.state === 'answered' && outstandingOf(call, 'BridgeRequested', (e) => e.legB === leg).length > 0;

/** A bridge that no Dial waits for any more has ended: whom an order kept connected is let go. */
function parted(call: Call, event: CallEvent): Decided[] {
  const bridge = event.type === 'BridgeEnded' ? call.answered.find((r) => r.type === 'BridgeRequested') : undefined;
  // The other end of a bridge to another call is that call's own.
  if (bridge?.type !== 'BridgeRequested' || bridge.callB || bridge.seq === call.flow.running?.memory.bridge) return [];
  return call.legs[bridge.legB]?.state === 'answered' ? [hangupLeg(bridge.legB, 'us', 'bridge-ended')] : [];
}
