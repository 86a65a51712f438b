import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '@opentact/proto/events';
import { hintedItems } from './hints.ts';

const accepted = (verbs: unknown): Fact => ({
  type: 'DocumentAccepted',
  document: 1,
  requestId: 0,
  purpose: 'flow',
  languageVersion: 1,
  verbs: JSON.stringify(verbs),
  warnings: [],
});
const say = (text: string) => ({
  name: 'Say',
  index: 0,
  tag: '',
  text,
  voice: '',
  gender: 'MALE',
  lang: 'en-US',
  loop: 1,
});

describe('hints', () => {
  it('every Say and Play of a document is found, in its order, however deep it stands', () => {
    const url = { kind: 'url', value: 'http://shop.example/a.wav' };
    const gather = {
      name: 'Gather',
      prompts: [say('two'), { name: 'Play', item: url }, { name: 'Play', recording: 'tag' }],
      branches: [{ segment: 'Case[0]', digits: '1', verbs: [say('three')] }],
    };
    const items = hintedItems(accepted({ verbs: [say('one'), gather], error: [say('four')] }));
    assert.deepEqual(
      items.map((item) => (item.kind === 'say' ? item.value.text : item.value)),
      ['one', 'two', url.value, 'three', 'four'],
    );
    assert.deepEqual(items[0], {
      kind: 'say',
      value: { text: 'one', voice: '', gender: 'MALE', lang: 'en-US', kind: '' },
    });
  });
  it('a Hold will want its music, or the prompts that stand in it', () => {
    const music = { kind: 'tone', value: 'hold-music' };
    assert.deepEqual(hintedItems(accepted({ verbs: [{ name: 'Hold', timeoutMs: 5 }] })), [music]);
    const [wait, ...others] = hintedItems(accepted({ verbs: [{ name: 'Hold', prompts: [say('wait')] }] }));
    assert.ok(wait?.kind === 'say' && wait.value.text === 'wait');
    assert.deepEqual(others, []);
  });
  it('a document without end or sense is bounded', () => {
    assert.equal(hintedItems(accepted({ verbs: Array.from({ length: 1000 }, () => say('x')) })).length, 200);
    assert.deepEqual(hintedItems(accepted({ verbs: [{ name: 'Play', item: 5 }, null, 'Say'] })), []);
    assert.throws(() => hintedItems({ ...accepted([]), verbs: '{' } as Fact));
  });
});
