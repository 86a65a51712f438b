// The port through which text becomes audio, and its default behind it: flite, compiled to WASI, in a thread of its own.
// It refuses texts beyond 5,000 characters and synthesis beyond its deadline.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobThread } from '@opentact/runtime';
import type { Clip } from '../audio/clip.ts';
import type { For } from '../prompt/shared-work.ts';

/**
 * Any synthesizer. `voice` is a code of `chooseVoice`. A rejection becomes `PlayFailed{reason: 'speech'}`. Accounts take
 * turns; what nobody waits for any more is not spoken.
 */
export type Speaker = {
  speak(text: string, voice: string, by?: For): Promise<Clip>;
  close(): Promise<void>;
};

export type SpeechJob = { text: string; voice: string };

const DEADLINE_MS = 10_000;
/** Texts that wait, at most 10 KB each. A play brings three at a time, so a quarter of them is more than 40 plays. */
const WAITING_MAX = 512;
const WAITING_PER_ACCOUNT = 128;
export const TEXT_MAX = 5000;

/** flite in a worker thread: 144 MB while it speaks, about a twelfth of the time that the words take. */
export function fliteSpeaker(): Speaker {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-speech-'));
  const thread = new JobThread<SpeechJob, Clip>(
    new URL('./flite-thread.ts', import.meta.url),
    { deadlineMs: DEADLINE_MS, waitingMax: WAITING_MAX, waitingPerSourceMax: WAITING_PER_ACCOUNT },
    { folder },
  );
  thread.warm();
  return {
    speak: (text, voice, by) =>
      text.length > TEXT_MAX
        ? Promise.reject(new Error(`text of more than ${TEXT_MAX} characters`))
        : thread.run({ text, voice }, by?.account, by?.signal),
    async close() {
      await thread.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
