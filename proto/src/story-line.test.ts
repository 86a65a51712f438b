/** How events read to a person: one line, nothing raw in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallEvent, PlayItem } from './events.ts';
import { itemText, storyLine } from './story-line.ts';

test('each kind of sound is told in a few words', () => {
  const items: PlayItem[] = [
    { kind: 'say', value: { text: 'Hello.', voice: '', gender: 'FEMALE', lang: 'en-US', kind: 'Standard' } },
    { kind: 'silenceMs', value: 500 },
    { kind: 'url', value: 'http://a.test/b.wav' },
    { kind: 'pattern', value: { hz: [480, 620], onMs: 250, offMs: 500, cycles: 3, volumeDb: -13 } },
  ];
  assert.deepEqual(items.map(itemText), [
    '"Hello."',
    'silence:500ms',
    'url:http://a.test/b.wav',
    'tone:480+620Hz,250/500ms,x3,-13dB',
  ]);
});

test('a dialog, and whatever else has parts, is told by its parts', () => {
  const dialog = {
    ...{
      callId: 'a@b',
      localTag: 't1',
      remoteTag: '',
      localCseq: 3,
      routeSet: [],
      invite: Buffer.alloc(12),
      sdp: 'v=0',
    },
    remoteTarget: 'sip:a@h',
  };
  const place = { callId: 'c', seq: 7, at: 1_500 };
  const line = storyLine(
    { type: 'LegAnswered', ...place, requestId: 3, leg: 1, sdp: 'v=0', dialog } as unknown as CallEvent,
    0,
  );
  assert.match(line, /dialog=\{callId=a@b localTag=t1 localCseq=3 invite=\(12\) sdp=\(3\) remoteTarget=sip:a@h\}/);
  const variables = [{ name: 'crm.vip', json: 'true' }];
  assert.match(
    storyLine({ type: 'MetaSet', ...place, variables } as CallEvent, 0),
    /variables=\[\{name=crm.vip json=true\}\]/,
  );
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = { deep };
  for (const value of [deep, dialog, [dialog], new Uint8Array(3), null, { a: null }]) {
    const text = storyLine({ type: 'Any', ...place, value } as unknown as CallEvent, 0);
    assert.ok(!text.includes('[object') && text.length < 200, text);
  }
});

test('an event is one line without control characters, and its bodies are measured', () => {
  const event = {
    type: 'DocumentFetched',
    callId: 'c',
    seq: 7,
    at: 1_500,
    requestId: 3,
    status: 200,
    contentType: 'a\nb',
    body: 'secret',
    tookMs: 1,
  };
  const line = storyLine(event as CallEvent, 1_000);
  assert.match(line, /^ {3}7 {5}\+0\.500 {2}DocumentFetched/);
  assert.ok(line.includes('body=(6)') && !line.includes('secret') && !line.includes('\n'), line);
});
