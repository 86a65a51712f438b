// What a document will probably play, read from the verbs of `DocumentAccepted` in document order.
// It refuses to understand the language: it knows Say, Play and Hold wherever they stand, and stops after 200 items or 20
// addresses: a document must not have a customer's server asked for thousands of prompts that may never be played.
import type { Fact, PlayItem } from '@opentact/proto/events';

const ITEMS_MAX = 200;
const ADDRESSES_MAX = 20;
const DEPTH_MAX = 64;

/** The fields of a verb or an item that matter here; anything may be in them. */
type Loose = Partial<
  Record<'name' | 'item' | 'text' | 'voice' | 'gender' | 'lang' | 'kind' | 'value' | 'prompts', unknown>
>;

/** The items of a hint: a document's, or those of a play that is about to be asked for. */
export function hintedItems(fact: Fact): PlayItem[] {
  if (fact.type === 'PlayRequested') return fact.items.slice(0, ITEMS_MAX);
  if (fact.type !== 'DocumentAccepted') return [];
  const items: PlayItem[] = [];
  collect(JSON.parse(fact.verbs), items, 0);
  let addresses = 0;
  return items.filter((item) => item.kind !== 'url' || ++addresses <= ADDRESSES_MAX);
}

function collect(value: unknown, items: PlayItem[], depth: number): void {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX || items.length >= ITEMS_MAX) return;
  const verb = value as Loose;
  const item = itemOf(verb);
  if (item) items.push(item);
  for (const child of Object.values(verb)) collect(child, items, depth + 1);
}

function itemOf(verb: Loose): PlayItem | undefined {
  if (verb.name === 'Say') return spoken(verb);
  if (verb.name === 'Play') return played(verb.item);
  return verb.name === 'Hold' && !verb.prompts ? { kind: 'tone', value: 'hold-music' } : undefined;
}

const text = (value: unknown) => (typeof value === 'string' ? value : '');

function spoken(verb: Loose): PlayItem {
  const value = { text: text(verb.text), voice: text(verb.voice), gender: text(verb.gender) };
  return { kind: 'say', value: { ...value, lang: text(verb.lang), kind: text(verb.kind) } };
}

function played(item: unknown): PlayItem | undefined {
  const { kind, value } = (item ?? {}) as Loose;
  if ((kind !== 'url' && kind !== 'prompt') || typeof value !== 'string') return undefined;
  return { kind, value };
}
