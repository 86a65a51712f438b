/**
 * Where a call stands in its documents: a stack of frames, because blocks nest. This half learns (part of `evolve`);
 * `flow.ts` chooses.
 */
import type { CallEvent } from '@opentact/proto/events';
import type { Call, Flow, Frame, Memory, Running } from './call.ts';
import { BLOCK, branchOf, join, runBeforeGather, upcoming } from './frames.ts';
import { scalarOfJson, withVariables } from './language/scalar.ts';
import type { Document } from './language/verb.ts';
import { BRIDGE } from './peer-words.ts';
import { isOfAnother } from './requests.ts';
import { learnerOf } from './verbs/index.ts';

/** The flow after the event; `call` is already what `evolve` made of everything else. */
export function evolveFlow(call: Call, event: CallEvent): Flow {
  const { flow } = call;
  // What a lost node still says teaches nothing about what another does by now.
  if (isOfAnother(call, event) || (event.type === 'SessionFailed' && call.answered.length === 0)) return flow;
  switch (event.type) {
    case 'DocumentRequested': {
      const root = event.purpose === 'flow' || event.purpose === 'redirect';
      const counted = { ...learnRunning(flow, event), documents: Math.max(flow.documents, event.document) };
      return root ? { ...counted, awaited: event.seq } : counted;
    }
    case 'DocumentAccepted':
      return accepted(flow, event);
    case 'DocumentRejected':
    case 'DocumentFailed': {
      if (event.requestId !== flow.awaited || event.requestId === 0) return learnRunning(flow, event);
      const { awaited, ...rest } = flow;
      return { ...rest, unmet: awaited! };
    }
    case 'VerbStarted':
      return started(flow, event);
    case 'VerbEnded':
      return ended(flow, event);
    case 'RecordRequested':
      return opened(learnRunning(flow, event));
    case 'RecordStopRequested':
      return closed(flow, event);
    case 'RecordFailed':
      return recordFailed(learnRunning(flow, event), event);
    case 'DigitPressed':
      return pressed(learnRunning(flow, event), event);
    case 'MetaSet': {
      const values = event.variables.map(({ name, json }) => [name, scalarOfJson(json)] as const);
      return { ...flow, meta: withVariables(flow.meta ?? {}, Object.fromEntries(values)) };
    }
    case 'LookUpFailed': {
      const wasPlace = call.answered.some((request) => request.type === 'LocationRequested');
      return { ...learnRunning(flow, event), ...(wasPlace && { location: { state: '', county: '' } }) };
    }
    case 'LocationFound':
      if (call.answered.length === 0) return flow; // nobody asks any more
      return { ...learnRunning(flow, event), location: { state: event.state, county: event.county } };
    case 'CallEnded':
    case 'CallFaulted': {
      const { running: _, awaited: __, ...rest } = flow;
      return { ...rest, frames: [] };
    }
    default:
      return learnRunning(flow, event);
  }
}

function learnRunning(flow: Flow, event: CallEvent): Flow {
  const { running } = flow;
  if (!running) return flow;
  const memory = learnerOf(running.verb)(running.memory, event, running.verb);
  return memory === running.memory ? flow : { ...flow, running: { ...running, memory } };
}

function accepted(flow: Flow, event: Extract<CallEvent, { type: 'DocumentAccepted' }>): Flow {
  const document = JSON.parse(event.verbs) as Document;
  if (event.purpose === 'fallback') return { ...flow, fallback: document };
  if (
    event.purpose === 'callback' ||
    event.purpose === 'gather' ||
    event.purpose === 'unhold' ||
    event.purpose === BRIDGE
  ) {
    const path = event.base ?? flow.running?.path ?? '';
    const learned = learnRunning(flow, event);
    if (document.verbs.length === 0) return learned;
    const nested: Frame = {
      path,
      verbs: document.verbs,
      next: 0,
      document: flow.document,
      nested: true,
      ...(document.error && { error: document.error }),
    };
    // Orders may follow each other for hours: what they left behind them is dropped.
    const isOver = ({ next, verbs, opener, error }: Frame) => next >= verbs.length && !opener && !error;
    const below = event.purpose === 'unhold' ? flow.frames.filter((frame) => !isOver(frame)) : flow.frames;
    return { ...learned, frames: [...below, nested] };
  }
  const { running: _, awaited: __, responseError: ___, ...rest } = flow;
  const root: Frame = { path: '', verbs: document.verbs, next: 0, document: event.document };
  return {
    ...rest,
    document: event.document,
    frames: [root],
    ahead: '',
    ...(document.error && { responseError: document.error }),
  };
}

function started(flow: Flow, event: Extract<CallEvent, { type: 'VerbStarted' }>): Flow {
  const { frames, verb } = upcoming(flow);
  const top = frames.at(-1);
  if (!verb || !top) throw new Error(`no verb follows, but ${event.path} started`);
  frames[frames.length - 1] = { ...top, next: top.next + 1 };
  let memory: Memory = {};
  if (verb.name === 'Gather')
    for (const digit of flow.ahead) {
      const key = {
        type: 'DigitPressed',
        leg: 0,
        digit,
        durationMs: 0,
        callId: event.callId,
        seq: event.seq,
        at: event.at,
      } as const;
      memory = learnerOf(verb)(memory, key, verb);
    }
  const running: Running = { verb, path: event.path, document: event.document, seq: event.seq, memory };
  return { ...flow, frames, running, ahead: verb.name === 'Gather' ? '' : flow.ahead };
}

function ended(flow: Flow, event: Extract<CallEvent, { type: 'VerbEnded' }>): Flow {
  const { running: current, ...rest } = flow;
  // A prompt of the Gather that runs: it was heard, and the Gather goes on.
  if (current && current.path !== event.path) return flow;
  const frames = current ? [...flow.frames] : upcoming(flow).frames;
  // Without a running verb it is a block whose recording had ended before its children did.
  const running = current ?? frames.pop()?.opener;
  if (!running) return flow;
  const top = frames.at(-1);
  if (top && event.skip > 0) frames[frames.length - 1] = { ...top, next: top.next + event.skip };
  const lastDigits = running.verb.name === 'Gather' ? (running.memory.digits ?? '') : flow.lastDigits;
  if (event.branch === '/Error[0]') {
    // Of the documents that it stands in the nearest one's; it serves once, and then the call is hung up.
    const { responseError, ...used } = rest;
    const nearest = frames.findLast((frame) => frame.error);
    const verbs = nearest?.error ?? responseError ?? [];
    const path = join(nearest?.path ?? '', 'Error[0]');
    return { ...used, lastDigits, frames: [{ path, verbs, next: 0, document: flow.document }] };
  }
  const verbs = event.branch ? branchOf(running.verb, event.branch) : undefined;
  const path = event.branch === BLOCK ? running.path : join(running.path, event.branch);
  if (verbs) frames.push({ path, verbs, next: 0, document: running.document });
  return { ...rest, frames, lastDigits };
}

/** A block Record that began: its children run while it waits below them. */
function opened(flow: Flow): Flow {
  const { running, ...rest } = flow;
  if (running?.verb.name !== 'Record' || !running.verb.verbs) return flow;
  const block: Frame = {
    path: running.path,
    verbs: running.verb.verbs,
    next: 0,
    document: running.document,
    opener: running,
  };
  return { ...rest, frames: [...flow.frames, block] };
}

/** A block Record whose file failed learns it while its children run. */
function recordFailed(flow: Flow, event: Extract<CallEvent, { type: 'RecordFailed' }>): Flow {
  const frames = flow.frames.map((frame) =>
    frame.opener?.memory.record === event.requestId
      ? { ...frame, opener: { ...frame.opener, memory: { ...frame.opener.memory, failed: event.reason } } }
      : frame,
  );
  return frames.some((frame, i) => frame !== flow.frames[i]) ? { ...flow, frames } : flow;
}

/** The children of a block Record are done: it runs again until its file is closed. */
function closed(flow: Flow, event: Extract<CallEvent, { type: 'RecordStopRequested' }>): Flow {
  const { frames, opener } = flow.running ? { frames: [], opener: undefined } : upcoming(flow);
  if (opener?.memory.record !== event.record) return learnRunning(flow, event);
  return { ...flow, frames: frames.slice(0, -1), running: opener };
}

/** A digit during a run of prompts directly before a Gather is that Gather's first (contracts.md, language 2). */
function pressed(flow: Flow, event: Extract<CallEvent, { type: 'DigitPressed' }>): Flow {
  return event.leg === 0 && runBeforeGather(flow) !== undefined ? { ...flow, ahead: flow.ahead + event.digit } : flow;
}
