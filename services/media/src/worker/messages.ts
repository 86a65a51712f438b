// What passes between the service's main thread and its workers. Types only; clips travel as shared memory.
import type { CallEvent, FactOf, Observed } from '@opentact/proto/events';
import type { Allowed } from '@opentact/runtime';
import type { Piece } from '../prompt/prompt-source.ts';

/** The requests that media answers. */
export const MEDIA_ASKS = [
  'SessionRequested',
  'SessionChangeRequested',
  'ReleaseRequested',
  'PlayRequested',
  'PlayStopRequested',
  'RecordRequested',
  'RecordStopRequested',
  'BridgeRequested',
  'BridgeStopRequested',
  'TranscriptRequested',
] as const;

export type MediaAskType = (typeof MEDIA_ASKS)[number];
export type MediaAsk = { [T in MediaAskType]: CallEvent<FactOf<T>> }[MediaAskType];
/** Those that are about sessions, which live in workers. */
export type WorkerAsk = Exclude<MediaAsk, { type: 'TranscriptRequested' }>;
export type AskOf<T extends MediaAskType> = CallEvent<FactOf<T>>;

export type ToWorker =
  | { kind: 'ask'; ask: WorkerAsk }
  | { kind: 'piece'; callId: string; leg: number; play: number; index: number; piece: Piece }
  | { kind: 'drop'; callId: string }
  | { kind: 'disk'; isFull: boolean }
  | { kind: 'leave' }
  | { kind: 'close' };

/** `lateShare`: packets late or dropped, 0 … 1, since the worker began. */
export type WorkerLoad = { legs: number; legsMax: number; freePorts: number; lateShare: number; worstMs: number };

export type FromWorker =
  | { kind: 'fact'; callId: string; fact: Observed }
  | { kind: 'disk-failed'; callId: string; recordingId: string; cause: string }
  | { kind: 'load'; load: WorkerLoad }
  | { kind: 'left' };

/** What a worker is born with. */
export type WorkerData = {
  bind: string;
  advertise: string;
  recordings: string;
  firstPort: number;
  lastPort: number;
  silentMs: number;
  allowed: readonly Allowed[];
  /** Legs it takes before it has measured, and whatever it measures. */
  legsFirst: number;
  legsMost: number;
};
