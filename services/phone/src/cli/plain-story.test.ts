import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readStoryFile } from '@opentact/proto';
import { plainLine } from './plain-story.ts';

const CALLS = join(import.meta.dirname, '../../../../test/replay/calls');

test('a call is told in the words of its caller: rang, answered, each verb and its outcome, keys, whose ending it was', () => {
  const { events } = readStoryFile(readFileSync(join(CALLS, 'seed-key-2.story'), 'utf8'));
  const lines = events.flatMap((event) => plainLine(event, events[0]!.at) ?? []);
  assert.deepEqual(
    lines.map((line) => line.trim()),
    [
      '+0.0  12125550199 calls 18005550100',
      '+0.0  answered',
      '+1.9  Say[0]: finished',
      '+6.9  Record[0]: silence',
      '+7.3  key 2',
      '+7.3  Gather[0]: entered 2',
      '+7.8  Gather[0].Case[1].Say[0]: finished',
      '+7.8  leg 1 calls sip:1000@127.0.0.1:9000',
      '+7.9  leg 1 rang',
      '+9.8  leg 1 answered',
      '+19.8  leg 1 ended: bye',
      '+19.8  Gather[0].Case[1].Dial[0]: callee-hung-up',
      '+19.8  Hangup[0]: hangup',
      '+19.8  ended: hangup, by document',
    ],
  );
});

test('what failed says so, and a lost process is told', () => {
  const told = (file: string) =>
    readStoryFile(readFileSync(join(CALLS, file), 'utf8')).events.flatMap((event) => plainLine(event, 0) ?? []);
  assert.match(
    told('seed-key-2-busy.story').join('\n'),
    /leg 1 not answered: busy \(SIP 486\)\n.*Dial\[0\]: failed, busy/,
  );
  assert.match(told('media-and-edge-lost.story').join('\n'), /media\S* was lost; another goes on/);
});
