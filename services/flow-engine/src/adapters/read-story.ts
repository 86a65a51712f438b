/**
 * The story of a call, wherever it lies: in the journal where that has an index by call, else in api's store of stories and
 * in what the journal has beyond what was read into it. A partition is never read from its beginning (ADR 31).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@opentact/event-log';
import type { CallEvent, DirectoryV1 } from '@opentact/proto';
import { partitionOf } from '@opentact/runtime';
import { ENDED_HOLD_MS } from '../engine/memory.ts';
import { eventOf, JOURNAL } from '../engine/story.ts';

/** How long whoever follows waits for a call that is not in the journal yet. */
const FOLLOW_UNKNOWN_MS = 2_000;
const LOOK_AGAIN_MS = 50;
/** An owner that doesn't remember a call has written nothing of it for ENDED_HOLD_MS; asking takes some seconds of that. */
const FRESH_ENOUGH_MS = ENDED_HOLD_MS - 7_000;

export type StoryNeeds = {
  log: EventLog;
  /** Some of a call's records from the store. @throws where it has no answer now */
  stored(request: DirectoryV1.StoryRequest): Promise<DirectoryV1.StoryResponse>;
  /** What the call's owner remembers of it, or that it is none. */
  ownerKnows(callId: string): Promise<Remembered | Owner>;
};

/** `began`: the journal has nothing of the call up to there. */
type Remembered = { began?: number | undefined };
/** It doesn't remember the call any more, or there is nobody to be asked. */
export type Owner = 'forgotten' | 'away';

export type StoryReader = ReturnType<typeof storyReader>;

/** How far a story was read: its last event, and where the journal may have more of the call after it. */
type Progress = { seq: number; position: number };

/** The event where it comes next; what lies in two places is told once. */
function* next(progress: Progress, event: CallEvent | undefined): Generator<CallEvent> {
  if (!event || event.seq <= progress.seq) return;
  progress.seq = event.seq;
  yield event;
}

/** Where the parts of a story lie: in the store, in the journal beyond it, all that there is. */
function sourcesOf({ log, stored, ownerKnows }: StoryNeeds) {
  const partitionFor = (callId: string) => partitionOf(callId, log.partitions);

  /** From the store. @returns how old its knowledge of the partition may be, ms */
  async function* fromStore(callId: string, progress: Progress): AsyncGenerator<CallEvent, number> {
    for (let position: number | undefined; ; ) {
      const place = { log: log.id, partition: partitionFor(callId) };
      const answer = await stored({ callId, fromSeq: progress.seq + 1, ...place });
      // Of several answers the first: what the later ones had read besides may be of this call, too.
      position ??= answer.position;
      for (const record of answer.records) yield* next(progress, eventOf({ key: callId, position: 0, ...record }));
      if (answer.more && answer.records.length > 0) continue;
      progress.position = Math.max(progress.position, position);
      return answer.behindMs;
    }
  }

  /** From the journal, after what was progress. */
  async function* beyond(callId: string, progress: Progress): AsyncGenerator<CallEvent> {
    const { indexesKeys } = log;
    for await (const record of indexesKeys
      ? log.readKey(JOURNAL, callId, progress.position)
      : log.replay(JOURNAL, partitionFor(callId), progress.position)) {
      const event = record.key === callId ? eventOf(record) : undefined;
      // The days of its beginning are gone from the journal.
      if (event && progress.seq === 0 && event.seq > 1) yield* fromStore(callId, progress);
      progress.position = record.position;
      yield* next(progress, event);
    }
  }

  async function* tell(callId: string, progress: Progress, asked?: Owner): AsyncGenerator<CallEvent> {
    if (log.indexesKeys) {
      yield* beyond(callId, progress);
      if (progress.seq === 0) yield* fromStore(callId, progress);
      return;
    }
    // Asked first: an owner that has forgotten it writes nothing of it since.
    const owner = asked ?? (await ownerKnows(callId));
    try {
      const behindMs = yield* fromStore(callId, progress);
      if (owner === 'forgotten' && behindMs < FRESH_ENOUGH_MS) return;
    } catch (error) {
      // What lives is told all the same.
      if (typeof owner === 'string' || owner.began === undefined) throw error;
      progress.position = owner.began;
    }
    yield* beyond(callId, progress);
  }

  return { partitionFor, beyond, tell };
}

export function storyReader(needs: StoryNeeds) {
  const { log } = needs;
  const { partitionFor, beyond, tell } = sourcesOf(needs);
  return {
    /** Everything that there is of a call, in order; nothing where there is no such call. @param owner what it answered, where it was asked already */
    read: (callId: string, owner?: Owner): AsyncGenerator<CallEvent> => tell(callId, { seq: 0, position: 0 }, owner),

    /** The same up to the call's end, which is waited for. A call that isn't there yet is waited for some seconds. */
    async *follow(callId: string, gone: AbortSignal): AsyncGenerator<CallEvent> {
      const progress = { seq: 0, position: 0 };
      for await (const event of tell(callId, progress)) {
        yield event;
        if (event.type === 'CallEnded') return;
      }
      for (const until = Date.now() + FOLLOW_UNKNOWN_MS; progress.seq === 0; ) {
        if (Date.now() > until || gone.aborted) return;
        await sleep(LOOK_AGAIN_MS);
        for await (const event of beyond(callId, progress)) {
          yield event;
          if (event.type === 'CallEnded') return;
        }
      }
      for await (const record of log.follow(JOURNAL, partitionFor(callId), progress.position, gone)) {
        if (record.key !== callId) continue;
        for (const event of next(progress, eventOf(record))) {
          yield event;
          if (event.type === 'CallEnded') return;
        }
      }
    },
  };
}
