/** What the language's own documentation says in two ways (reference section 4.20), and what is easily misread. */
import { REGIONS } from '@opentact/numbering';
import { SAMPLE } from '@opentact/proto/call-view';
import { newCall } from '../domain/call.ts';
import { callObject, metaQuery } from '../domain/document-request.ts';
import { nearest } from '../domain/language/attributes.ts';
import type { Element } from '../domain/language/element.ts';
import type { Report } from './finding.ts';
import { everyItem, type Item, type Place, type Tree, written } from './tree.ts';

/** Looks at every verb by itself. @param fetched the document is one that a server answers, not an order by API */
export function checkContradictions(tree: Tree, fetched: boolean, report: Report): void {
  everyItem(tree, (item, place) => {
    checkTwins(item, report);
    checkNames(item, report);
    checkTimes(item, report);
    checkMeta(item, report);
    checkConditions(item, report);
    if (item.verb?.name === 'Answer' && item.verb.delayMs > 0 && place.block === tree.root && place.position === 0)
      warn(
        report,
        item.element,
        'delay',
        'delay is waited after the answer, not before it',
        'to let it ring first, put a <Pause> before <Answer/>',
        'delay',
      );
    if (item.name === 'Unhold') checkUnhold(item, place, tree, fetched, report);
    if (item.verb?.name === 'Callback' && item.verb.body && item.verb.method === 'GET')
      warn(report, item.element, 'no-body', 'a GET takes no body: the call is not sent', 'write method="POST"', 'body');
  });
}

function warn(report: Report, at: Element, rule: string, reason: string, remedy: string, attribute?: string): void {
  const name = attribute && written(at, attribute);
  report({ severity: 'warning', rule, reason, remedy, at, ...(name && { attribute: name }) });
}

/** The same said as an attribute and as the content. */
function checkTwins({ element, name }: Item, report: Report): void {
  const attribute = name === 'Say' ? 'text' : /^(Play|Callback|Redirect)$/.test(name) ? 'url' : undefined;
  const both = attribute && element.text && written(element, attribute);
  if (both)
    warn(
      report,
      element,
      'both',
      `<${name}> has both a ${both} and a content: the content wins`,
      'keep one',
      attribute,
    );
}

function checkNames({ element, name }: Item, report: Report): void {
  if (element.name.toLowerCase() === 'scheduler')
    warn(report, element, 'old-name', '<Scheduler> is the old name', 'write <Schedule>');
  if (name === 'Tone' && written(element, 'v') && !written(element, 'volume'))
    warn(
      report,
      element,
      'old-name',
      'v is decibels, as volume is: 0 is the loudest, -70 the quietest',
      'write volume="…"',
      'v',
    );
  if (name === 'Gather' && written(element, 'length'))
    warn(report, element, 'old-name', 'length is the number of keys, not a time', 'write dtmf_length="…"', 'length');
}

const SHORT_MS = 100;

/** Times that look like seconds. That of a Dial may be; Pause says so itself. */
function checkTimes({ element, name, verb }: Item, report: Report): void {
  if (!verb || !('timeoutMs' in verb) || name === 'Dial') return;
  const attribute = written(element, 'timeout');
  const isSilence = name === 'Record'; // elsewhere a Record's timeout is the silence that ends it
  if (attribute && verb.timeoutMs < SHORT_MS)
    warn(
      report,
      element,
      'milliseconds',
      `timeout="${verb.timeoutMs}" is ${verb.timeoutMs} milliseconds`,
      isSilence
        ? `leave it out where it is the silence that ends a recording (always 5 s); write timeout="${verb.timeoutMs * 1000}" where it is the longest time in seconds`
        : `write timeout="${verb.timeoutMs * 1000}" for seconds`,
      attribute,
    );
}

/** Variables that would hide behind a field of the platform in the query of what is asked. */
function checkMeta({ element, name }: Item, report: Report): void {
  const metas = name === 'Meta' ? [element] : element.children.filter((c) => c.name.toLowerCase() === 'meta');
  for (const meta of metas) {
    const variable = meta.attributes[written(meta, 'name') ?? ''] ?? '';
    const call = newCall('');
    const sent = metaQuery({ ...call, flow: { ...call.flow, meta: { [variable]: true } } });
    if (variable && !Object.hasOwn(sent, variable))
      warn(
        report,
        meta,
        'taken-name',
        `"${variable.slice(0, 40)}" is a field of the platform: the variable is not sent to any address`,
        'choose another name',
        'name',
      );
  }
}

/** Fields that no call has, states that are none. */
function checkConditions({ verb, element }: Item, report: Report): void {
  if (verb?.name === 'Call' && !verb.field.startsWith('meta.') && !FIELDS.includes(verb.field)) {
    const near = verb.field === 'tn' ? 'to or tn.tn' : nearest(verb.field, FIELDS);
    warn(
      report,
      element,
      'no-field',
      `a call has no field ${verb.field}: this never runs${verb.value === null ? ' but for null' : ''}`,
      near ? `did you mean ${near}?` : `it has ${FIELDS.join(', ')} and meta.NAME`,
      'field',
    );
  }
  const wrong = verb?.name === 'Geo' ? verb.states.find((state) => !Object.hasOwn(REGIONS, state)) : undefined;
  if (wrong)
    warn(
      report,
      element,
      'no-state',
      `${wrong} is no state, territory or province`,
      'write codes like NY or ON',
      'states',
    );
}

/** The scalars of the call object, as a Call block may name them. */
const FIELDS = fieldsOf({ ...callObject({ ...newCall(''), view: SAMPLE }), meta: {} });

function fieldsOf(object: object, prefix = ''): string[] {
  return Object.entries(object).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null ? fieldsOf(value, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

function checkUnhold(item: Item, { block, position }: Place, tree: Tree, fetched: boolean, report: Report): void {
  if (block === tree.root && position === 0 && !fetched) return;
  const reason = fetched
    ? '<Unhold> does nothing in a document that a server answers'
    : '<Unhold> does nothing unless it is the first verb of an order';
  warn(
    report,
    item.element,
    'unhold',
    reason,
    'send it to the live call by RunDocument, at the beginning of the document',
  );
}
