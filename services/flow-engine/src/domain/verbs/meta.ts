/** Meta: variables of the call, passed to every address that the flow asks. */
import { scalarOf } from '../language/scalar.ts';
import type { SyntaxRow } from '../language/syntax.ts';
import type { Meta } from '../language/verb.ts';
import { end, type Performer } from '../performer.ts';

export const metaRow: SyntaxRow = {
  name: 'Meta',
  meaning: 'Sets a variable of the call: below a command when it starts, among verbs where it stands.',
  attributes: [
    {
      name: 'name',
      kind: 'pattern',
      pattern: '[A-Za-z_][\\w.-]{0,63}',
      shape: 'a name of letters, digits, _ . - (64 at most), like order',
      required: true,
      meaning: 'Its name.',
    },
    {
      name: 'value',
      kind: 'text',
      max: 1024,
      default: '',
      meaning: 'Its value: true, false, null, a number or text; the content of the element serves too.',
    },
  ],
  children: [],
  text: true,
  build: (a, { text, index, refuse }) => {
    if (text.length > 1024) refuse('the content of <Meta> is longer than 1024 characters');
    if (text && a.has('value')) refuse('<Meta> has both a value and a content: keep one');
    return { name: 'Meta', index, tag: '', meta: { [a.text('name')]: scalarOf(text || a.text('value')) } };
  },
};

// What it sets is set as any verb's meta is, when it starts.
export const metaPerformer: Performer<Meta> = {
  needs: 'nothing',
  begin: (_meta, _call, running) => [end(running, true, 'set')],
  on: () => [],
};
