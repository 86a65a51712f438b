/** How the blocks that run on a condition are written: Call, Geo and Schedule (reference sections 4.2, 4.4, 4.5). */
import { scalarOf } from '../language/scalar.ts';
import type { SyntaxRow } from '../language/syntax.ts';
import type { Schedule } from '../language/verb.ts';

export const callRow: SyntaxRow = {
  name: 'Call',
  meaning: 'A block that runs where a field of the call has a value; then the flow goes on behind it.',
  attributes: [
    {
      name: 'field',
      kind: 'pattern',
      pattern: '[A-Za-z_][\\w.-]{0,127}',
      shape: 'a field of the call, like from, to, tn.tn or meta.order',
      required: true,
      meaning: 'from, to, uuid, state, direction, type, tn.tn, sip_control_app.name, meta.NAME …',
    },
    {
      name: 'value',
      kind: 'text',
      max: 1024,
      required: true,
      meaning: 'What it must be: true, false, null, a number or text. A + before a number makes no difference.',
    },
  ],
  children: ['verbs'],
  text: false,
  build: (a, { index, element, verbs }) => ({
    name: 'Call',
    index,
    tag: '',
    field: a.text('field'),
    value: scalarOf(a.text('value')),
    verbs: verbs(element),
  }),
};

export const geoRow: SyntaxRow = {
  name: 'Geo',
  meaning:
    'A block that runs where the caller’s number is at home in one of the states, and in the county. Without attributes it runs.',
  attributes: [
    {
      name: 'states',
      kind: 'pattern',
      pattern: '[A-Za-z]{2}(\\s*,\\s*[A-Za-z]{2})*',
      shape: 'codes of two letters, like NY,NJ',
      meaning: 'Codes of states and provinces.',
    },
    { name: 'county', kind: 'text', max: 64, default: '', meaning: 'Name of a county, any case.' },
  ],
  children: ['verbs'],
  text: false,
  build: (a, { index, element, verbs }) => ({
    name: 'Geo',
    index,
    tag: '',
    states: a.list('states').map((state) => state.toUpperCase()),
    county: a.text('county').trim().toUpperCase(),
    verbs: verbs(element),
  }),
};

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const CLOCK = '([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d';

export const scheduleRow: SyntaxRow = {
  name: 'Schedule',
  aliases: ['Scheduler'],
  meaning: 'A block that runs on some days, in some hours; then the flow goes on behind it.',
  attributes: [
    { name: 'dow', kind: 'list', values: DAYS, meaning: 'Days of the week; every day where it is absent.' },
    {
      name: 'time',
      kind: 'pattern',
      pattern: `${CLOCK}\\s*-\\s*${CLOCK}`,
      shape: 'a range like 07:00:00-18:59:59',
      meaning:
        'Both ends included. A range that ends before it begins goes on after midnight and belongs to its first day.',
    },
    {
      name: 'tz',
      kind: 'text',
      max: 64,
      default: '',
      meaning: 'Time zone, like America/New_York; the account’s where it is absent.',
    },
  ],
  children: ['verbs'],
  text: false,
  build: (a, { index, element, verbs, refuse }) => {
    const timeZone = a.text('tz').trim();
    if (timeZone && !isTimeZone(timeZone)) refuse(`tz="${timeZone.slice(0, 40)}" of <Schedule> is no time zone`);
    const days = DAYS.flatMap((day, n) => (a.list('dow').includes(day) ? [n] : []));
    const time = timeOf(a.text('time'));
    return { name: 'Schedule', index, tag: '', days, ...(time && { time }), timeZone, verbs: verbs(element) };
  },
};

/** Does this platform know the zone? */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function timeOf(range: string): Schedule['time'] {
  if (!range) return undefined;
  const [from, to] = range.split('-').map((clock) => {
    const [hours, minutes, seconds] = clock.trim().split(':').map(Number);
    return hours! * 3600 + minutes! * 60 + seconds!;
  });
  return { from: from!, to: to! };
}
