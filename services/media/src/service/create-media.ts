// Puts the service together: workers with their shares of the ports, the speech thread, the decoding thread.
// It refuses nothing; a bad configuration was refused before.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Allowed, JobThread } from '@opentact/runtime';
import type { Clip } from '../audio/clip.ts';
import type { DecodeJob } from '../audio/decode-thread.ts';
import { UNFINISHED } from '../audio/recording-file.ts';
import type { FetchPrompt } from '../prompt/fetch.ts';
import { PromptSource } from '../prompt/prompt-source.ts';
import { portShare } from '../session/port-pool.ts';
import type { Recogniser } from '../speech/recogniser.ts';
import { fliteSpeaker, type Speaker } from '../speech/speaker.ts';
import { LEGS_FIRST, LEGS_MOST } from '../worker/leg-limit.ts';
import { watchDisk } from './disk-watch.ts';
import type { Log } from './log.ts';
import { type Engines, MediaService } from './media-service.ts';

export type MediaOptions = {
  home: string;
  bind: string;
  advertise: string;
  rtpPorts: { first: number; last: number };
  workers: number;
  fetchPrompt: FetchPrompt;
  engines: Engines;
  log: Log;
  failed(error: unknown): void;
  /** Default: flite. */
  speaker?: Speaker;
  /** Default: none, and no recording becomes words. */
  recogniser?: Recogniser | undefined;
  /** Legs that a worker takes; default: by the lateness of its packets. */
  legsMax?: number;
  silentMs?: number;
  /** Addresses beyond public ones that an SDP may name; default: none. */
  allowed?: readonly Allowed[];
  /** Bytes that recordings leave free on their disk; default: none. */
  diskFloorBytes?: number;
};

export const SILENT_MS = 60_000;
const DECODE_DEADLINE_MS = 20_000;

export function createMedia(options: MediaOptions): { service: MediaService; close(): Promise<void> } {
  const { home, bind, advertise, engines, log, failed } = options;
  const speaker = options.speaker ?? fliteSpeaker();
  const decoder = new JobThread<DecodeJob, Clip>(new URL('../audio/decode-thread.ts', import.meta.url), {
    deadlineMs: DECODE_DEADLINE_MS,
    // What may wait is bounded before: see PromptRoom.
    waitingMax: 256,
  });
  const prompts = new PromptSource({
    home,
    speaker,
    fetchPrompt: options.fetchPrompt,
    decode: (bytes, { account, signal }) => decoder.run({ bytes }, account, signal),
  });
  const recordings = join(home, 'recordings');
  mkdirSync(join(recordings, UNFINISHED), { recursive: true });
  const workers = Array.from({ length: options.workers }, (_, index) => ({
    bind,
    advertise,
    recordings,
    ...portShare(options.rtpPorts, index, options.workers),
    silentMs: options.silentMs ?? SILENT_MS,
    allowed: options.allowed ?? [],
    legsFirst: options.legsMax ?? LEGS_FIRST,
    legsMost: options.legsMax ?? LEGS_MOST,
  }));
  const { recogniser } = options;
  const service = new MediaService({ workers, prompts, home, recogniser, engines, log, failed });
  const endWatch = watchDisk({
    folder: recordings,
    floorBytes: options.diskFloorBytes ?? 0,
    log,
    told: (isFull) => service.diskIs(isFull),
  });
  return {
    service,
    async close() {
      endWatch();
      await service.close();
      await Promise.all([speaker.close(), decoder.close()]);
    },
  };
}
