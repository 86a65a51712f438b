// The workers that hold sessions: places each call on one of them, whole, and carries words both ways.
// It refuses to spread a call's legs: a bridge needs them in one thread.
import { Worker } from 'node:worker_threads';
import type { Observed } from '@opentact/proto/events';
import type { AskOf, FromWorker, ToWorker, WorkerAsk, WorkerData, WorkerLoad } from '../worker/messages.ts';

export type PoolOptions = {
  workers: WorkerData[];
  report(callId: string, fact: Observed): void;
  /** The disk failed a recording. @param cause what it said */
  diskFailed(callId: string, recordingId: string, cause: string): void;
  /** A worker died. Its sessions died with it, so the process should, too: then its boot is over and all know it. */
  failed(error: unknown): void;
};

type Member = {
  worker: Worker;
  load: WorkerLoad;
  legs: number;
  left: PromiseWithResolvers<void>;
  closed: Promise<void>;
};
/** `legs`: the `seq` of the latest SessionRequested of each. */
type Placed = {
  member: Member;
  legs: Map<number, number>;
  /** Legs that stayed with another worker when the call moved beside another one. */
  left: Map<number, Member>;
};

export class WorkerPool {
  private readonly members: Member[];
  private readonly placed = new Map<string, Placed>();
  private readonly options: PoolOptions;
  private closing = false;

  constructor(options: PoolOptions) {
    this.options = options;
    this.members = options.workers.map((data) => this.start(data));
  }

  /** Calls that hold something here. */
  get callIds(): string[] {
    return [...this.placed.keys()];
  }

  holds(callId: string): boolean {
    return this.placed.has(callId);
  }

  get loads(): WorkerLoad[] {
    return this.members.map(({ load }) => load);
  }

  /** Legs in percent of what the workers take. */
  get loadPercent(): number {
    const legs = this.members.reduce((sum, member) => sum + member.legs, 0);
    const most = this.members.reduce((sum, member) => sum + member.load.legsMax, 0);
    return Math.min(100, Math.round((100 * legs) / most));
  }

  ask(ask: WorkerAsk): void {
    this.send(this.memberFor(ask), { kind: 'ask', ask });
  }

  piece(message: Extract<ToWorker, { kind: 'piece' }>): void {
    const member = this.placed.get(message.callId)?.member;
    if (member) this.send(member, message);
  }

  drop(callId: string): void {
    const placed = this.placed.get(callId);
    if (!placed) return;
    for (const member of new Set([placed.member, ...placed.left.values()])) this.send(member, { kind: 'drop', callId });
    placed.member.legs -= placed.legs.size;
    for (const member of placed.left.values()) member.legs--;
    this.placed.delete(callId);
  }

  /** Whether too little of the disk is left for recordings. */
  diskIs(isFull: boolean): void {
    for (const member of this.members) this.send(member, { kind: 'disk', isFull });
  }

  /** Leaves every recording to the node that goes on with it; resolves when their files are closed. */
  async leave(): Promise<void> {
    for (const member of this.members) this.send(member, { kind: 'leave' });
    await Promise.all(this.members.map(({ left }) => left.promise));
  }

  /** Ends every session, closes every file, then every thread. */
  async close(): Promise<void> {
    this.closing = true;
    for (const member of this.members) this.send(member, { kind: 'close' });
    await Promise.all(this.members.map(({ closed }) => closed));
  }

  private start(data: WorkerData): Member {
    const worker = new Worker(new URL('../worker/thread.ts', import.meta.url), { workerData: data });
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const load: WorkerLoad = { legs: 0, legsMax: data.legsFirst, freePorts: 0, lateShare: 0, worstMs: 0 };
    const member: Member = {
      worker,
      load,
      legs: 0,
      left: Promise.withResolvers<void>(),
      closed,
    };
    worker.on('message', (message: FromWorker) => this.hear(member, message));
    worker.on('error', (error) => this.options.failed(error));
    worker.on('exit', (code) => {
      resolve();
      if (!this.closing) this.options.failed(new Error(`a worker ended with ${code}`));
    });
    return member;
  }

  private hear(member: Member, message: FromWorker): void {
    if (message.kind === 'load') member.load = message.load;
    if (message.kind === 'left') member.left.resolve();
    if (message.kind === 'disk-failed') this.options.diskFailed(message.callId, message.recordingId, message.cause);
    if (message.kind !== 'fact') return;
    const { callId, fact } = message;
    if (fact.type === 'SessionReleased' || fact.type === 'SessionFailed') this.legLeft(member, callId, fact);
    this.options.report(callId, fact);
  }

  private legLeft(member: Member, callId: string, { leg, requestId }: { leg: number; requestId: number }): void {
    const placed = this.placed.get(callId);
    if (placed?.left.get(leg) === member) {
      placed.left.delete(leg);
      member.legs--;
      return this.forgetIfEmpty(callId, placed);
    }
    // A leg that moved beside another call has a new session by the time its old one is gone.
    if (placed?.member !== member || (placed.legs.get(leg) ?? Number.POSITIVE_INFINITY) > requestId) return;
    placed.legs.delete(leg);
    placed.member.legs--;
    this.forgetIfEmpty(callId, placed);
  }

  private forgetIfEmpty(callId: string, { legs, left }: Placed): void {
    if (legs.size === 0 && left.size === 0) this.placed.delete(callId);
  }

  private memberFor(ask: WorkerAsk): Member {
    const placed = this.placed.get(ask.callId);
    // An unknown call's ask still deserves its answer, which any worker can give.
    if (ask.type !== 'SessionRequested') return this.memberOf(placed, ask);
    const beside = ask.beside ? this.placed.get(ask.beside)?.member : undefined;
    if (beside && placed && placed.member !== beside) return this.move(placed, beside, ask);
    const member =
      beside ?? placed?.member ?? this.members.reduce((least, one) => (one.legs < least.legs ? one : least));
    const legs = placed?.legs ?? new Map<number, number>();
    if (!legs.has(ask.leg)) member.legs++;
    legs.set(ask.leg, ask.seq);
    this.placed.set(ask.callId, { member, legs, left: placed?.left ?? new Map() });
    return member;
  }

  /** A leg is to be bridged with another call's: from here on its call lives where that one does. */
  private move(from: Placed, to: Member, { callId, leg, seq }: AskOf<'SessionRequested'>): Member {
    const left = new Map(from.left);
    // The leg itself is released by an ask that went before; what else the call has stays where it is, to be released.
    for (const other of from.legs.keys()) if (other !== leg) left.set(other, from.member);
    if (from.legs.has(leg)) from.member.legs--;
    to.legs++;
    this.placed.set(callId, { member: to, legs: new Map([[leg, seq]]), left });
    return to;
  }

  private memberOf(placed: Placed | undefined, ask: WorkerAsk): Member {
    const left = 'leg' in ask ? placed?.left.get(ask.leg) : undefined;
    return left ?? placed?.member ?? this.members[0]!;
  }

  private send(member: Member, message: ToWorker): void {
    member.worker.postMessage(message);
  }
}
