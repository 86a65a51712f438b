/** Recordings that are played, stopped or waited for without having been begun, as far as one document tells. */
import type { Report } from './finding.ts';
import { everyItem, type Item, type Tree, verbOf } from './tree.ts';

/** Looks at every Play, RecordStop and RecordWait in document order. */
export function checkRecordings(tree: Tree, report: Report): void {
  const made = new Set<string>();
  const begun = new Set<string>();
  const stopped = new Set<string>();
  const complain = (item: Item, rule: string, reason: string, remedy: string, attribute?: string) =>
    report({ severity: 'warning', rule, reason, remedy, at: item.element, ...(attribute && { attribute }) });
  const has = (set: ReadonlySet<string>, tag: string) => (tag === '' ? set.size > 0 : set.has(tag));
  everyItem(tree, (item) => {
    const { verb } = item;
    if (verb?.name === 'Record' || verb?.name === 'RecordStart') made.add(verb.tag);
    if (verb?.name === 'RecordStart') begun.add(verb.tag);
    const tag = verbOf(item, 'Play')?.recording;
    if (tag && !made.has(tag))
      complain(
        item,
        'no-recording',
        `no <Record tag="${tag.slice(0, 40)}"> stands before this`,
        'record under that tag first',
        'record',
      );
    if (verb?.name === 'RecordStop') {
      if (!has(begun, verb.tag))
        complain(
          item,
          'no-recording',
          `no <RecordStart${tagged(verb.tag)}> stands before this: it stops nothing`,
          'begin one first',
        );
      for (const each of verb.tag ? [verb.tag] : begun) stopped.add(each);
    }
    if (verb?.name === 'RecordWait' && !has(begun, verb.tag))
      complain(
        item,
        'no-recording',
        `no <RecordStart${tagged(verb.tag)}> stands before this: it waits for nothing`,
        'begin one first',
      );
    else if (verb?.name === 'RecordWait' && !has(stopped, verb.tag))
      complain(
        item,
        'still-recording',
        'the recording is not stopped before it is waited for: this fails',
        `put <RecordStop${tagged(verb.tag)}/> before it`,
      );
  });
}

const tagged = (tag: string) => (tag ? ` tag="${tag.slice(0, 40)}"` : '');
