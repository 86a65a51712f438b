// The thread that turns files into clips. It refuses what is neither WAV nor MP3.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { JobAnswer } from '@opentact/runtime';
import { type Clip, clipOf } from './clip.ts';
import { mp3Start, readMp3 } from './mp3.ts';
import { AudioFormatError, looksLikeWav, readWav } from './wav-read.ts';

// Behind every thread that paces RTP, should they share a core.
setPriority(10);

/** The whole file. */
export type DecodeJob = { bytes: Uint8Array };

async function decodeFile(bytes: Buffer): Promise<Clip> {
  if (looksLikeWav(bytes)) return clipOf(readWav(bytes));
  const start = mp3Start(bytes);
  if (start >= 0) return clipOf(await readMp3(bytes.subarray(start)));
  throw new AudioFormatError('neither WAV nor MP3');
}

parentPort?.on('message', async ({ bytes }: DecodeJob) => {
  const answer: JobAnswer<Clip> = await decodeFile(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).then(
    (result) => ({ ok: true, result }),
    (error) => ({ ok: false, detail: error instanceof AudioFormatError ? error.message : String(error) }),
  );
  parentPort?.postMessage(answer);
});
