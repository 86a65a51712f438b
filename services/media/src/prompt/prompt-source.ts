// Turns what is to be played into pieces ready for the paced threads: clips, or a length of silence.
// It refuses file names that leave their folder, unknown tones, and whatever fetcher, decoder or speaker refuse.
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlayItem } from '@opentact/proto/events';
import { chooseVoice } from '@opentact/voices';
import { type Cadence, cadenceClip, cadenceTimes, type TonePattern } from '../audio/cadence.ts';
import { type Clip, clipOf } from '../audio/clip.ts';
import { RECORDING_ID } from '../audio/recording-file.ts';
import { namedTone } from '../dsp/tone.ts';
import type { Speaker } from '../speech/speaker.ts';
import { ClipCache } from './clip-cache.ts';
import { type FetchPrompt, PROMPT_BYTES_MAX } from './fetch.ts';
import { PromptRoom } from './prompt-room.ts';
import type { For } from './shared-work.ts';
import { Undecodable, UrlPrompts } from './url-prompts.ts';

/** One item, ready: audio, a tone on and off, silence of so many frames, or why it can't be had. */
export type Piece =
  /** `voice`: the one that speaks in the place of one that isn't there. */
  | { kind: 'clip'; clip: Clip; voice?: string }
  | { kind: 'cadence'; cadence: Cadence }
  | { kind: 'silence'; frames: number }
  | { kind: 'failure'; reason: 'fetch' | 'format' | 'speech'; detail: string };

export type PromptOptions = {
  /** OPENTACT_HOME. */
  home: string;
  speaker: Speaker;
  fetchPrompt: FetchPrompt;
  /** WAV or MP3 to a clip, away from the paced threads. */
  decode(bytes: Buffer, by: For): Promise<Clip>;
  cacheBytesMax?: number;
};

const CACHE_BYTES = 64 * 1024 * 1024;
const SILENCE_MS_MAX = 600_000;
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export class PromptSource {
  private readonly cache: ClipCache;
  private readonly room = new PromptRoom();
  private readonly urls: UrlPrompts;
  private readonly options: PromptOptions;

  constructor(options: PromptOptions) {
    this.options = options;
    this.cache = new ClipCache(options.cacheBytesMax ?? CACHE_BYTES);
    const { fetchPrompt, decode, cacheBytesMax: bytesMax = CACHE_BYTES } = options;
    this.urls = new UrlPrompts({ fetchPrompt, decode, room: this.room, bytesMax });
  }

  /** Never rejects: what can't be had is a piece that says why. */
  async prepare(item: PlayItem, by: For): Promise<Piece> {
    const reason = item.kind === 'say' ? 'speech' : item.kind === 'url' ? 'fetch' : 'format';
    try {
      if (item.kind === 'silenceMs')
        return { kind: 'silence', frames: Math.round(Math.min(item.value, SILENCE_MS_MAX) / 20) };
      if (item.kind === 'pattern') return { kind: 'cadence', cadence: await this.cadence(item.value, by) };
      if (item.kind !== 'say') return { kind: 'clip', clip: await this.clipOf(item, by) };
      const { code, exact } = chooseVoice(item.value);
      const clip = await this.spoken(item.value.text, code, by);
      return { kind: 'clip', clip, ...(!exact && { voice: code }) };
    } catch (error) {
      const failure = error instanceof Undecodable ? 'format' : reason;
      return { kind: 'failure', reason: failure, detail: (error as Error).message.slice(0, 300) };
    }
  }

  private clipOf(item: Exclude<PlayItem, { kind: 'silenceMs' | 'pattern' | 'say' }>, by: For): Promise<Clip> {
    switch (item.kind) {
      case 'url':
        return this.urls.clip(item.value, by);
      case 'prompt':
        return this.file(promptPath(this.options.home, item.value), by).catch(pathless);
      case 'recording':
        if (!RECORDING_ID.test(item.value)) return Promise.reject(new Error('no recording id'));
        return this.file(join(this.options.home, 'recordings', `${item.value}.wav`), by).catch(pathless);
      case 'tone':
        return this.cache.get(`tone ${item.value}`, by, async () => {
          const tone = namedTone(item.value);
          if (!tone) throw new Error(`no tone is called ${item.value}`);
          return clipOf(tone);
        });
      default: {
        const unknown: never = item;
        return Promise.reject(new Error(`unknown item ${JSON.stringify(unknown)}`));
      }
    }
  }

  private async cadence(pattern: TonePattern, by: For): Promise<Cadence> {
    const times = cadenceTimes(pattern);
    const key = `pattern ${pattern.hz} ${pattern.volumeDb} ${times.on}`;
    return { ...times, clip: await this.cache.get(key, by, async () => cadenceClip(pattern, times.on)) };
  }

  private spoken(text: string, voice: string, by: For): Promise<Clip> {
    const key = `say ${voice} ${createHash('sha256').update(text).digest('base64')}`;
    return this.cache.get(key, by, (on) => this.options.speaker.speak(text, voice, on));
  }

  /** A file's clip, made anew when the file changed. */
  private async file(path: string, by: For): Promise<Clip> {
    // Asked at every play: waking a thread and being woken by it costs more than the answer. RTP has threads of its own.
    const { size, mtimeMs } = statSync(path);
    if (size > PROMPT_BYTES_MAX) throw new Error('more than 16 MiB');
    return this.cache.get(`file ${size} ${mtimeMs} ${path}`, by, async (on) => {
      const room = await this.room.enter(on.account, on.signal);
      try {
        room.take(size);
        return await this.options.decode(await readFile(path), on);
      } finally {
        room.leave();
      }
    });
  }
}

/** A fault of the file system names our folders; the story is the customer's to read. */
function pathless(error: NodeJS.ErrnoException): never {
  if (error.path === undefined) throw error;
  throw new Error(error.code === 'ENOENT' ? 'there is no such file' : `the file can't be read (${error.code})`);
}

/** `account/name.wav` below the prompts of OPENTACT_HOME. @throws Error where a part is no plain name */
function promptPath(home: string, prompt: string): string {
  const parts = prompt.split('/');
  if (parts.length > 2 || !parts.every((part) => FILE_NAME.test(part))) throw new Error('no prompt file name');
  return join(home, 'prompts', ...parts);
}
