/**
 * Gather: prompts, collects keys, chooses a branch. Each attempt's time starts when its last prompt ended or was
 * stopped, and keys don't restart it; attempts count silence only (contracts.md, language 3-5).
 */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call, Memory, Running } from '../call.ts';
import { callObject, customerQuery, documentsLeft, metaQuery, request, withQuery } from '../document-request.ts';
import { responseOf } from '../frames.ts';
import type { Gather } from '../language/verb.ts';
import { end, type Performer, promptsEnded } from '../performer.ts';
import { sounds } from './prompts.ts';

export const gatherPerformer: Performer<Gather> = {
  needs: 'answer',
  begin: (gather, call, running, at) => {
    const { key } = running.memory; // pressed during the prompts before this Gather
    return key === undefined
      ? prompt(gather, call, at)
      : (complete(gather, call, running, at, key) ?? startTimer(gather, at));
  },
  learn,
  on: (event, gather, call, running) => {
    const { memory } = running;
    const answered = 'requestId' in event && event.requestId === memory.answered;
    switch (event.type) {
      case 'DigitPressed':
        return event.leg === 0 && memory.request === undefined ? pressed(gather, call, running, event) : [];
      case 'PlayFinished':
      case 'PlayFailed': // a prompt that can't be heard leaves the keys working
      case 'PlayStopped':
      case 'RequestFailed':
        if (answered) return remoteFailed(gather, call, running, 'unanswered');
        return memory.played === event.requestId && memory.timer === undefined && memory.request === undefined
          ? [...heard(gather, running, event), ...startTimer(gather, event.at)]
          : [];
      case 'TimerFired':
        return memory.fired === event.timerId ? timedOut(gather, call, running, event.at) : [];
      case 'DocumentAccepted':
        return answered ? remoteAccepted(event, gather, call, running) : [];
      case 'DocumentFailed':
        return answered ? remoteFailed(gather, call, running, event.reason) : [];
      case 'DocumentRejected':
        return answered ? remoteFailed(gather, call, running, 'document-rejected') : [];
      default:
        return [];
    }
  },
};

function learn(memory: Memory, event: CallEvent, gather: Gather): Memory {
  switch (event.type) {
    case 'PlayRequested': {
      const { played: _, ...rest } = memory;
      return { ...rest, play: event.seq };
    }
    case 'PlayStopRequested': // as good as stopped: the next key must not stop it again
      return learnPlayed(memory, event.play);
    case 'PlayFinished':
    case 'PlayFailed':
    case 'PlayStopped':
      return learnPlayed(memory, event.requestId);
    case 'TimerSet':
      return event.purpose === 'gather' ? { ...memory, timer: event.seq } : memory;
    case 'TimerFired':
    case 'TimerCancelled': {
      if (event.timerId !== memory.timer) return memory;
      const { timer, ...rest } = memory;
      return event.type === 'TimerCancelled' ? rest : { ...rest, attempt: attemptOf(memory) + 1, fired: timer! };
    }
    case 'DigitPressed':
      return event.leg === 0 && memory.request === undefined ? learnKey(memory, event.digit, gather) : memory;
    case 'DocumentRequested':
      return event.purpose === 'gather' ? { ...memory, request: event.seq } : memory;
    case 'DocumentAccepted':
    case 'DocumentFailed':
    case 'DocumentRejected':
      return learnAnswered(memory, event.requestId);
    case 'RequestFailed':
      return learnAnswered(learnPlayed(memory, event.requestId), event.requestId);
    default:
      return memory;
  }
}

function learnPlayed(memory: Memory, requestId: number): Memory {
  if (requestId !== memory.play) return memory;
  const { play, ...rest } = memory;
  return { ...rest, played: play! };
}

function learnAnswered(memory: Memory, requestId: number): Memory {
  if (requestId !== memory.request) return memory;
  const { request, ...rest } = memory;
  return { ...rest, answered: request! };
}

/** The finish key is no digit; alone it is an attempt in silence. */
function learnKey(memory: Memory, key: string, gather: Gather): Memory {
  const { digits = '' } = memory;
  if (!gather.finishKeys.includes(key)) return { ...memory, key, digits: digits + key };
  return { ...memory, key, attempt: digits ? attemptOf(memory) : attemptOf(memory) + 1 };
}

const attemptOf = (memory: Memory) => memory.attempt ?? 0;

/** The prompts of one attempt as one play; without prompts its time starts at once. */
function prompt(gather: Gather, call: Call, at: number): Decided[] {
  const [only, second] = gather.prompts;
  const loop = only && !second && only.name !== 'Pause' ? only.loop : 1;
  const items = gather.prompts.flatMap((p) => sounds(p, call, second ? undefined : 1));
  return items.length > 0 ? [{ type: 'PlayRequested', leg: 0, items, loop }] : startTimer(gather, at);
}

function heard(gather: Gather, running: Running, event: CallEvent): Decided[] {
  if (event.type === 'PlayFinished') return promptsEnded(running, gather.prompts, true, 'finished');
  const reason = 'reason' in event ? String(event.reason) : 'stopped';
  return promptsEnded(running, gather.prompts, event.type === 'PlayStopped', reason);
}

function startTimer(gather: Gather, at: number): Decided[] {
  return [{ type: 'TimerSet', purpose: 'gather', dueAt: at + gather.timeoutMs }];
}

function pressed(
  gather: Gather,
  call: Call,
  running: Running,
  event: Extract<CallEvent, { type: 'DigitPressed' }>,
): Decided[] {
  const { play, timer } = running.memory;
  const done = complete(gather, call, running, event.at, event.digit);
  if (play !== undefined)
    return [
      { type: 'PlayStopRequested', leg: 0, play },
      ...promptsEnded(running, gather.prompts, true, 'digit'),
      ...(done ?? startTimer(gather, event.at)),
    ];
  // The attempt's time goes on while its keys come in.
  return done ? [...(timer === undefined ? [] : [{ type: 'TimerCancelled', timerId: timer } as const]), ...done] : [];
}

/** What follows if the last key completes the input; undefined where more is awaited. */
function complete(gather: Gather, call: Call, running: Running, at: number, key: string): Decided[] | undefined {
  const { digits = '' } = running.memory;
  if (!gather.finishKeys.includes(key) && digits.length < gather.digitsMax) return undefined;
  return digits ? chosen(gather, call, running, digits) : silent(gather, call, running, at);
}

function timedOut(gather: Gather, call: Call, running: Running, at: number): Decided[] {
  const { digits = '' } = running.memory;
  return digits ? chosen(gather, call, running, digits) : silent(gather, call, running, at);
}

/** A code was entered: its branch, the customer's server, or Default at once. */
function chosen(gather: Gather, call: Call, running: Running, code: string): Decided[] {
  const branch = gather.branches.find((b) => b.digits === code);
  if (branch) return [end(running, true, `entered ${code}`, { branch: branch.segment })];
  if (gather.remote && documentsLeft(call)) return [ask(gather, call, running, code, true)];
  return [
    end(running, true, `entered ${code}`, { branch: gather.default ? 'Default[0]' : gather.error ? 'Error[0]' : '' }),
  ];
}

function silent(gather: Gather, call: Call, running: Running, at: number): Decided[] {
  if (gather.remote?.eachAttempt && documentsLeft(call)) return [ask(gather, call, running, '', false)];
  if (attemptOf(running.memory) < gather.attempts) return prompt(gather, call, at);
  return [nothingEntered(gather, running)];
}

const nothingEntered = (gather: Gather, running: Running) =>
  end(running, true, 'silence', { branch: gather.error ? 'Error[0]' : gather.default ? 'Default[0]' : '' });

function ask(gather: Gather, call: Call, running: Running, code: string, success: boolean): Decided {
  const { url, method, eachAttempt } = gather.remote!;
  const attempts = Math.max(1, attemptOf(running.memory));
  const fields: Record<string, string> = eachAttempt
    ? { code, success: String(success), attempts: String(attempts), ...metaQuery(call) }
    : { dtmf: code, ...customerQuery(call), ...metaQuery(call) };
  // Attempts before this one were silent: only silence is asked again.
  const history = Array.from({ length: attempts }, (_, i) => ({ attempt: i + 1, code: i + 1 < attempts ? '' : code }));
  const answer = { code, success, attempts, history };
  const body = method === 'POST' ? JSON.stringify({ call: callObject(call), gather: answer }) : '';
  return request(call, { purpose: 'gather', url: withQuery(url, fields), method, body });
}

function remoteAccepted(
  event: Extract<CallEvent, { type: 'DocumentAccepted' }>,
  gather: Gather,
  call: Call,
  running: Running,
): Decided[] {
  const { memory } = running;
  const last = call.flow.frames.at(-1);
  const ran = last?.nested === true && [running.path, responseOf(running.path)].includes(last.path);
  const silence = !memory.digits;
  if (!ran && silence && gather.remote?.eachAttempt && attemptOf(memory) < gather.attempts)
    return prompt(gather, call, event.at);
  if (!ran && silence) return [nothingEntered(gather, running)];
  return [end(running, true, silence ? 'silence' : `entered ${memory.digits}`)];
}

function remoteFailed(gather: Gather, call: Call, running: Running, reason: string): Decided[] {
  const branch = gather.error ? 'Error[0]' : gather.default ? 'Default[0]' : call.flow.responseError ? '/Error[0]' : '';
  return [end(running, false, reason, { branch })];
}
