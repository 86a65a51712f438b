/** Play: plays a file by address, from the account's prompts, or an earlier recording of this call. */
import type { PlayItem } from '@opentact/proto/events';
import type { Call } from '../call.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Play } from '../language/verb.ts';
import { LEG, playing } from './playing.ts';
import { LOOP } from './say.ts';

export const playRow: SyntaxRow = {
  name: 'Play',
  meaning: 'Plays a WAV or MP3 file.',
  attributes: [
    {
      name: 'url',
      kind: 'text',
      max: 2048,
      meaning: 'http(s) address, or prompt:name.wav from the account’s folder; the content of the element serves too.',
    },
    { name: 'record', kind: 'text', max: 255, meaning: 'Tag of an earlier Record of this call.' },
    LOOP,
    LEG,
    TAG,
  ],
  children: ['Error'],
  text: true,
  build: (a, { text, index, block, refuse }) => {
    const source = text || a.text('url').trim();
    const recording = a.text('record');
    if ((source === '') === (recording === '')) refuse('<Play> needs one source: an address, or record="tag"');
    const error = block('Error');
    const item = source ? itemOf(source) : undefined;
    const leg = a.text('leg').toLowerCase() as NonNullable<Play['leg']>;
    if (source && !item) refuse(`<Play> can't play ${source.slice(0, 60)}: use http, https or prompt:name.wav`);
    return {
      name: 'Play',
      index,
      loop: a.integer('loop'),
      tag: a.text('tag'),
      ...(item && { item }),
      ...(recording && { recording }),
      ...(leg !== 'aleg' && { leg }),
      ...(error && { error }),
    };
  },
};

function itemOf(source: string): PlayItem | undefined {
  const prompt = /^prompt:([\w][\w.-]{0,127})$/.exec(source)?.[1];
  if (prompt) return { kind: 'prompt', value: prompt };
  return /^https?:\/\//i.test(source) && URL.canParse(source) ? { kind: 'url', value: source } : undefined;
}

/** What a Play sounds like; undefined where the recording it names was never made. */
export function played(play: Play, call: Call): PlayItem | undefined {
  // A prompt lies in the folder of the account, whose name the document can't choose.
  if (play.item?.kind === 'prompt') return { kind: 'prompt', value: `${call.account}/${play.item.value}` };
  if (play.item) return play.item;
  const recording = call.recordings[play.recording ?? ''];
  return recording ? { kind: 'recording', value: recording } : undefined;
}

export const playPerformer = playing<Play>(played);
