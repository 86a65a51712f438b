/** How a Dial is written, and which targets it refuses. */
import type { Element } from '../language/element.ts';
import { type SyntaxRow, TAG } from '../language/syntax.ts';
import { addressTarget, numberTarget, shownNumber } from './target.ts';

export const TARGETS_MAX = 10;
/** What a target of a group begins with. */
export const GROUP = 'group:';

export const dialRow: SyntaxRow = {
  name: 'Dial',
  meaning: 'Calls one or more targets at once and connects the first that answers.',
  attributes: [
    {
      name: 'timeout',
      kind: 'integer',
      min: 1,
      max: 600_000,
      default: '30000',
      meaning: 'Milliseconds to ring; below 1000 it is seconds.',
    },
    { name: 'from', kind: 'text', max: 64, default: '', meaning: 'Caller id; the caller’s own where it is absent.' },
    {
      name: 'record',
      kind: 'choice',
      values: ['record-from-answer', 'do-not-record'],
      default: 'do-not-record',
      meaning: 'Record both sides.',
    },
    { name: 'hangup_on_bye', kind: 'boolean', default: 'false', meaning: 'The call ends when the callee hangs up.' },
    TAG,
  ],
  children: ['To', 'Sip', 'Number', 'Group', 'Error'],
  text: true,
  build: (a, { text, index, all, block, refuse, element, check }) => {
    const targets = [
      ...all('To', 'Sip', 'Number', 'Group').map((t) => {
        check(t);
        return targetOf(t, refuse);
      }),
      ...(text ? [targetOf({ ...element, name: 'To' }, refuse)] : []),
    ];
    if (targets.length === 0) refuse('<Dial> has nobody to call: give it <To>, <Sip>, <Number> or <Group>');
    if (targets.length > TARGETS_MAX) refuse(`<Dial> has ${targets.length} targets; ${TARGETS_MAX} at most`);
    const from = shownNumber(a.text('from').trim());
    if (from && !/^\+?[\w.-]{1,64}$/.test(from)) refuse('from of <Dial> must be a number or a user name');
    const timeout = a.integer('timeout');
    const error = block('Error');
    return {
      name: 'Dial',
      index,
      targets,
      timeoutMs: Math.min(timeout < 1000 ? timeout * 1000 : timeout, 600_000),
      from,
      record: a.text('record').toLowerCase() === 'record-from-answer',
      ...(a.boolean('hangup_on_bye') && { hangupOnBye: true }),
      tag: a.text('tag'),
      ...(error && { error }),
    };
  },
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function targetOf(element: Element, refuse: (reason: string, at?: Element) => never): { uri: string } {
  const text = element.text.trim();
  const name = element.name.toLowerCase();
  if (name === 'group') {
    if (!UUID.test(text)) refuse(`<Group> needs the uuid of a group, not "${text.slice(0, 60)}"`, element);
    return { uri: `${GROUP}${text.toLowerCase()}` };
  }
  // A Sip takes a number where its scheme says so.
  const number = name === 'sip' && !/^tel:/i.test(text) ? undefined : numberTarget(text);
  if (number) return { uri: number };
  const address = name === 'number' ? undefined : addressTarget(text);
  if (address) return { uri: address };
  return refuse(
    `<${element.name}> can't call "${text.slice(0, 60)}": ${name === 'number' ? 'give a phone number' : 'give a number or user@host:port'}`,
    element,
  );
}

const target = (name: string, meaning: string): SyntaxRow => ({
  name,
  meaning,
  attributes: [],
  children: [],
  text: true,
});

/** The parts of a Dial. */
export const dialParts: SyntaxRow[] = [
  target('To', 'A phone number, tel:number, user@domain or sip:user@domain (B).'),
  target(
    'Sip',
    'user@host:port or sip:user@host:port (A), perhaps with ;transport=udp, ;transport=tcp or ;user=phone behind it; or tel:number.',
  ),
  target('Number', 'A phone number (A): 12125550100, +1 (212) 555-0100, tel:+1-212-555-0100.'),
  target('Group', 'The uuid of a group of SIP users: rings each of them.'),
];
