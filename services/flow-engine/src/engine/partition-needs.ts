/** What one owned partition needs of its engine. */
import type { EventLog } from '@opentact/event-log';
import type { EngineLinkServer } from '@opentact/link';
import type { To } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import type { Step } from '../domain/step.ts';
import type { PeerWord } from './dispatcher.ts';
import type { DocumentReader } from './document-reader.ts';
import type { RefusedCalls } from './refused-calls.ts';

export type PartitionNeeds = {
  log: EventLog;
  link: EngineLinkServer;
  step: Step;
  documents: Pick<DocumentReader, 'read'>;
  self: { name: string; boot: string };
  now(): number;
  logger: Logger;
  pick(kind: string, callId: string, except: To[]): To | undefined;
  /** Tells another call something, wherever its owner is (see the dispatcher); `accountId` is of the call that speaks. */
  tell(word: PeerWord, accountId: string): Promise<'told' | 'gone'>;
  /** Is this boot of a node over for certain? */
  isDead(node: To): boolean;
  /** Nodes that live, whether or not they have found this engine yet. */
  living(): Array<{ name: string; boot: string }>;
  /** Asks and timers of the partition run from here on. */
  opened(partition: number): void;
  /** The partition of that epoch is no more: `fenced`, `unavailable`, or a defect. */
  lost(partition: number, epoch: number, reason: 'fenced' | 'unavailable'): void;
  refused: RefusedCalls;
};
