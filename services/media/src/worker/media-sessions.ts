// All sessions of one worker: takes asks one after the other per call, opens, changes, joins and releases.
// It refuses legs beyond its number, and never lets one call's fault reach another.
import type { Observed } from '@opentact/proto/events';
import { RECORDING_ID } from '../audio/recording-file.ts';
import type { Piece } from '../prompt/prompt-source.ts';
import { Bridge } from '../session/bridge.ts';
import { Playback } from '../session/playback.ts';
import { Recorder, RecordingQuota, type RecordWish } from '../session/recorder.ts';
import { reportClosed, type Session } from '../session/session.ts';
import { closeSockets } from '../session/sockets.ts';
import type { AskOf, WorkerAsk } from './messages.ts';
import { changeSession, type OpeningOptions, openSession, reopenSession } from './negotiating.ts';
import { Pacer } from './pacer.ts';
import { Registry } from './registry.ts';

export type MediaSessionsOptions = OpeningOptions & {
  /** Folder of the recordings; it exists. */
  recordings: string;
  /** Legs it takes at the moment. */
  legsMax(): number;
  /** Of all recordings of one call; nine hours where it isn't said. */
  recordedBytesMax?: number;
  /** The disk failed a recording, which ends. */
  diskFailed?(callId: string, recordingId: string, error: Error): void;
};

/** Of all recordings of one call: nine hours. */
const RECORDED_BYTES_MAX = 512 * 1024 * 1024;
const NO_LIMITS: RecordWish = { maxMs: 0, silenceMs: 0, stopKeys: '' };

export class MediaSessions {
  readonly pacer = new Pacer();
  readonly registry = new Registry();
  private readonly tails = new Map<string, Promise<void>>();
  /** `seq` of the SessionRequested that opened each: an older release, asked again, is about one before it. */
  private readonly opened = new WeakMap<Session, number>();
  private readonly quotas = new Map<string, RecordingQuota>();
  private isDiskFull = false;
  private readonly options: MediaSessionsOptions;

  constructor(options: MediaSessionsOptions) {
    this.options = options;
  }

  /** Takes an ask; its facts follow in order. Never rejects. */
  ask(ask: WorkerAsk): Promise<void> {
    return this.inTurn(ask.callId, () => this.answer(ask));
  }

  /** A piece of a play is ready. */
  piece(callId: string, leg: number, play: number, index: number, piece: Piece): Promise<void> {
    return this.inTurn(callId, async () => this.registry.find(callId, leg)?.sender.supply(play, index, piece));
  }

  /** The call is nobody's any more: everything it holds here is released. */
  drop(callId: string): Promise<void> {
    return this.inTurn(callId, async () => {
      for (const session of this.registry.ofCall(callId)) await this.close(callId, session);
    });
  }

  /** Another node is about to be asked for all that is done here: recordings are left to it, audio goes on until then. */
  async leave(): Promise<void> {
    const sessions = this.registry.callIds.flatMap((callId) => this.registry.ofCall(callId));
    const bridges = new Set(sessions.flatMap(({ bridge }) => (bridge ? [bridge] : [])));
    await Promise.all([
      ...sessions.map((session) => session.recordings.leave()),
      ...[...bridges].map((bridge) => bridge.leaveRecording()),
    ]);
  }

  /** Too little of the disk is left: what is recorded ends, and nothing new is. */
  diskIs(isFull: boolean): void {
    this.isDiskFull = isFull;
    if (!isFull) return;
    for (const session of this.registry.callIds.flatMap((callId) => this.registry.ofCall(callId))) {
      session.recordings.end('disk');
      session.bridge?.recorder?.end('disk');
    }
  }

  async shut(): Promise<void> {
    await Promise.all(this.registry.callIds.map((callId) => this.drop(callId)));
    this.pacer.stop();
  }

  // Opening and releasing wait for sockets and disks; the asks behind them of the same call wait too, others don't.
  private inTurn(callId: string, work: () => Promise<void>): Promise<void> {
    const tail = (this.tails.get(callId) ?? Promise.resolve()).then(work).catch((error: unknown) => {
      // A broken promise of ours costs this ask, which the engine will ask again, and nobody else.
      process.emitWarning(`call ${callId}: ${error instanceof Error ? error.stack : String(error)}`);
    });
    this.tails.set(callId, tail);
    return tail.then(() => {
      if (this.tails.get(callId) === tail) this.tails.delete(callId);
    });
  }

  private async answer(ask: WorkerAsk): Promise<void> {
    const { callId } = ask;
    const report = (fact: Observed) => this.options.report(callId, fact);
    // A call moves as a whole. A release proves nothing: it is also what a lost node is asked for once it wakes up.
    if (ask.type !== 'ReleaseRequested') for (const session of this.registry.ofCall(callId)) session.wanted(ask.at);
    if (ask.type === 'SessionRequested') return report(await this.open(ask));
    if (ask.type === 'ReleaseRequested') return this.release(ask);
    if (ask.type === 'BridgeRequested') return this.join(ask);
    if (ask.type === 'BridgeStopRequested') return this.stopBridge(callId, ask.bridge);
    const session = this.registry.find(callId, ask.leg);
    if (!session) return reportLost(ask, report);
    if (saysAnswered(ask)) session.answered();
    switch (ask.type) {
      case 'SessionChangeRequested':
        return report(changeSession(session, ask, this.options));
      case 'PlayRequested':
        return session.play(new Playback(ask.seq, ask.loop, ask.items.length));
      case 'PlayStopRequested':
        return session.sender.stopPlay(ask.play);
      case 'RecordRequested':
        return this.record(session, ask, report);
      case 'RecordStopRequested':
        return session.recordings.end('stopped', ask.record);
    }
  }

  private async open(ask: AskOf<'SessionRequested'>): Promise<Observed> {
    const { callId, leg, seq: requestId } = ask;
    const known = this.registry.find(callId, leg);
    if (known) return reopenSession(known, ask, this.options);
    // Later legs of a call that lives here must come here too, for a bridge; a few are let in beyond the number.
    const isExpected = this.registry.has(callId) || (ask.beside !== undefined && this.registry.has(ask.beside));
    const limit = this.options.legsMax() * (isExpected ? 1.2 : 1);
    if (this.registry.legs >= limit) return { type: 'SessionFailed', requestId, leg, reason: 'full' };
    const { session, fact } = await openSession(ask, this.options);
    if (!session) return fact;
    this.opened.set(session, requestId);
    this.registry.add(callId, session);
    this.pacer.add(session);
    return fact;
  }

  private record(session: Session, ask: AskOf<'RecordRequested'>, report: (fact: Observed) => void): void {
    if (session.recordings.has(ask.seq)) return;
    const failed = (reason: string) => report({ type: 'RecordFailed', requestId: ask.seq, reason });
    if (session.recordings.isFull) return failed('full');
    const recorder = this.recorder(ask, ask.recordingId, ask);
    if (typeof recorder === 'string') failed(recorder);
    else session.record(recorder);
  }

  /** Or why there is none. */
  private recorder(ask: WorkerAsk, recordingId: string, limits: RecordWish): Recorder | 'disk' | 'full' {
    const { callId, seq } = ask;
    if (this.isDiskFull || !RECORDING_ID.test(recordingId)) return 'disk';
    const quota = this.quotas.get(callId) ?? new RecordingQuota(this.options.recordedBytesMax ?? RECORDED_BYTES_MAX);
    this.quotas.set(callId, quota);
    const { recordings, diskFailed } = this.options;
    const failing = (error: Error) => diskFailed?.(callId, recordingId, error);
    return quota.isSpent ? 'full' : new Recorder(seq, recordingId, recordings, limits, quota, failing);
  }

  private async release({ callId, leg, seq: requestId }: AskOf<'ReleaseRequested'>): Promise<void> {
    const session = this.registry.find(callId, leg);
    if (session && (this.opened.get(session) ?? 0) < requestId) await this.close(callId, session);
    this.options.report(callId, { type: 'SessionReleased', requestId, leg });
  }

  /** Ends whatever the session does; its last facts are told before this resolves. */
  private async close(callId: string, session: Session): Promise<void> {
    if (session.bridge) await this.part(session.bridge, 'released');
    session.end();
    await Promise.all(session.closing);
    this.pacer.remove(session);
    await closeSockets(session.sockets, this.options.ports);
    this.registry.remove(callId, session);
    if (!this.registry.has(callId)) this.quotas.delete(callId);
  }

  private async join(ask: AskOf<'BridgeRequested'>): Promise<void> {
    const { callId, seq, legA, legB, recordingId, callB = callId } = ask;
    for (const leg of [this.registry.find(callId, legA), this.registry.find(callB, legB)])
      if (leg?.bridge) await this.part(leg.bridge, 'stopped');
    // Looked up again: the other call's asks are not in this one's turn.
    const a = this.registry.find(callId, legA);
    const b = this.registry.find(callB, legB);
    if (!a || !b || a === b || a.bridge || b.bridge)
      return this.options.report(callId, { type: 'BridgeEnded', requestId: seq, reason: 'lost' });
    const made = recordingId ? this.recorder(ask, recordingId, NO_LIMITS) : undefined;
    const recorder = typeof made === 'string' ? undefined : made;
    if (typeof made === 'string') this.options.report(callId, { type: 'RecordFailed', requestId: seq, reason: made });
    if (saysAnswered(ask)) for (const leg of [a, b]) leg.answered();
    const bridge = new Bridge(callId, seq, a, b, recorder);
    a.join(bridge);
    b.join(bridge);
    // In one group: both hear before either speaks, and no frame waits for the next turn.
    this.pacer.add(b, a);
    this.options.report(callId, { type: 'BridgeStarted', requestId: seq });
  }

  private async stopBridge(callId: string, request: number): Promise<void> {
    const legs = this.registry.ofCall(callId);
    const bridge = legs.find((leg) => leg.bridge?.callId === callId && leg.bridge.request === request)?.bridge;
    if (bridge) await this.part(bridge, 'stopped');
  }

  /** Told to the call that asked for the bridge, which may not be the one whose session ended. */
  private async part(bridge: Bridge, reason: 'stopped' | 'released'): Promise<void> {
    const { callId, request } = bridge;
    for (const leg of bridge.legs) leg.join(undefined);
    bridge.recorder?.end(reason);
    const isDoubtful = reason === 'released' && bridge.legs.some((leg) => leg.isDoubtful);
    const report = (fact: Observed) => this.options.report(callId, fact);
    if (bridge.recorder) await reportClosed(bridge.recorder, isDoubtful, report);
    if (!isDoubtful) report({ type: 'BridgeEnded', requestId: request, reason });
  }
}

/** Asked of a leg that is answered. What stops something says nothing of it. */
const saysAnswered = (ask: WorkerAsk): boolean =>
  (ask.type === 'SessionChangeRequested' ||
    ask.type === 'PlayRequested' ||
    ask.type === 'RecordRequested' ||
    ask.type === 'BridgeRequested') &&
  ask.early !== true;

type OfSession = Exclude<WorkerAsk, { type: 'SessionRequested' | 'ReleaseRequested' | `Bridge${string}` }>;

/** No such session here: what was asked of it can't be. Stops need no answer, their subject is gone. */
function reportLost({ type, seq: requestId, leg }: OfSession, report: (fact: Observed) => void): void {
  if (type === 'PlayRequested') report({ type: 'PlayFailed', requestId, reason: 'lost', detail: 'no such session' });
  if (type === 'RecordRequested') report({ type: 'RecordFailed', requestId, reason: 'lost' });
  if (type === 'SessionChangeRequested') report({ type: 'SessionChangeFailed', requestId, leg, reason: 'lost' });
}
