/** Say: speaks text. It refuses silence (no text at all). */
import type { AttributeRow } from '../language/attributes.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import type { Say } from '../language/verb.ts';
import { playing } from './playing.ts';

export const LOOP: AttributeRow = {
  name: 'loop',
  kind: 'integer',
  min: 0,
  max: 1000,
  default: '1',
  meaning: 'Times it is heard; 0 until hang-up.',
};

export const sayRow: SyntaxRow = {
  name: 'Say',
  meaning: 'Speaks its text.',
  attributes: [
    { name: 'text', kind: 'text', max: 4000, meaning: 'What to speak, where the element has no content.' },
    { name: 'type', kind: 'choice', values: ['WaveNet', 'Standard'], default: 'Standard', meaning: 'Kind of voice.' },
    { name: 'gender', kind: 'choice', values: ['MALE', 'FEMALE'], default: 'FEMALE', meaning: 'Gender of the voice.' },
    {
      name: 'code',
      kind: 'text',
      max: 64,
      default: '',
      meaning: 'Voice code of /dict/gtts; the nearest voice where it is unknown.',
    },
    { name: 'lang', kind: 'text', max: 35, default: 'en-US', meaning: 'Language, BCP 47.' },
    LOOP,
    TAG,
  ],
  children: [],
  text: true,
  build: (a, { text, index, refuse }) => ({
    name: 'Say',
    index,
    text: text || a.text('text').trim() || refuse('<Say> has nothing to speak: give it text'),
    voice: a.text('code'),
    gender: a.text('gender').toUpperCase(),
    lang: a.text('lang'),
    loop: a.integer('loop'),
    tag: a.text('tag'),
    ...(a.text('type').toLowerCase() === 'wavenet' && { kind: 'WaveNet' }),
  }),
};

/** What a Say sounds like. */
export const spoken = ({ text, voice, gender, lang, kind }: Say) =>
  ({ kind: 'say', value: { text, voice, gender, lang, ...(kind && { kind }) } }) as const;

export const sayPerformer = playing<Say>((say) => spoken(say));
