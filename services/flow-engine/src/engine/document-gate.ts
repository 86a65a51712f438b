/**
 * Facts that bring a document wait here until it was read, and until their call may write again; what is told of the same
 * call meanwhile waits behind them, in order. Other calls don't wait. It is bounded by whoever counts what waits (`waiting`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../domain/call.ts';
import type { DocumentReader } from './document-reader.ts';
import type { Item } from './learner.ts';

/**
 * @param waitMs how long a call has to wait for its next document
 * @param pass takes an item on, once nothing before it waits
 */
export function createDocumentGate(
  documents: Pick<DocumentReader, 'read'>,
  callOf: (id: string) => Call | undefined,
  waitMs: (id: string) => number,
  pass: (item: Item) => void,
) {
  /** By call: what waits for the document of the first of them. */
  const held = new Map<string, Item[]>();
  let waits = 0;
  let closed = false;

  const begun = (item: Item): Promise<void> | undefined => {
    const id = idOf(item);
    const found = documentOf(item, callOf(id));
    if (!found) return undefined;
    const ms = waitMs(id);
    if (ms === 0) return documents.read(found.xml, found.account);
    return sleep(ms, undefined, { ref: false }).then(() => documents.read(found.xml, found.account));
  };

  function hold(id: string, items: Item[], reading: Promise<void>): void {
    held.set(id, items);
    void reading.then(() => closed || release(id, items));
  }

  /** The first was read; those behind it go on up to the next that brings a document. */
  function release(id: string, items: Item[]): void {
    held.delete(id);
    for (let next = items.shift(); next; next = items.shift()) {
      waits--;
      pass(next);
      const reading = items[0] && begun(items[0]);
      if (reading) return hold(id, items, reading);
    }
  }

  /**
   * A hang-up doesn't wait for a document that the call won't need. What its own node told before goes with it; where that
   * brings a document itself, the hang-up waits like everything else.
   */
  function overtakes(item: Item, behind: Item[]): boolean {
    if (!ENDINGS.has(item.observed.type)) return false;
    const before = behind.filter((one) => isOfSameNode(one, item));
    if (before.some((one) => documentOf(one, callOf(idOf(one))))) return false;
    for (const one of before) {
      behind.splice(behind.indexOf(one), 1);
      waits--;
      pass(one);
    }
    return true;
  }

  return {
    /** True: it waits, and is passed on later. */
    holds(item: Item): boolean {
      const id = idOf(item);
      const behind = held.get(id);
      if (behind && overtakes(item, behind)) return false;
      const reading = behind ? undefined : begun(item);
      if (!behind && !reading) return false;
      waits++;
      if (reading) hold(id, [item], reading);
      else behind!.push(item);
      return true;
    },
    waiting: () => waits,
    /** Nothing is passed on any more. @returns what waited */
    close(): Item[] {
      closed = true;
      waits = 0;
      const left = [...held.values()].flat();
      held.clear();
      return left;
    },
  };
}

const ENDINGS: ReadonlySet<string> = new Set(['LegEnded', 'HangupOrdered', 'CallFaulted']);

const isOfSameNode = (one: Item, item: Item) =>
  one.kind === 'fact' && item.kind === 'fact' && one.fact.source === item.fact.source;

const idOf = (item: Item) => (item.kind === 'fact' ? item.fact.key : item.callId);

/** The document that an item brings, and whose it is; undefined where it brings none that will be run. */
function documentOf({ observed }: Item, call: Call | undefined): { xml: string; account: string } | undefined {
  switch (observed.type) {
    case 'CallArrived':
    case 'CallOrdered':
      return some(observed.app?.staticDocument, observed.accountId);
    case 'DocumentOrdered':
      return some(observed.xml, call?.account ?? '');
    case 'DocumentFetched': {
      const asked = call?.outstanding[observed.requestId];
      const isDocument = asked?.type === 'DocumentRequested' && asked.purpose !== 'curl';
      return isDocument ? some(observed.body, call!.account) : undefined;
    }
    default:
      return undefined;
  }
}

const some = (xml: string | undefined, account: string) => (xml ? { xml, account } : undefined);
