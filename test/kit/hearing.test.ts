import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { openHearing } from './hearing.ts';

const QUESTION = 'Now please enter a 1 for man, 2 for woman.';
const SORRY = 'No DTMF Code entered.';
const hearing = openHearing();
after(() => hearing.close());

/** What a phone heard: each piece, and a second of silence behind it. */
const heard = (...pieces: Int16Array[]) =>
  Int16Array.from(pieces.flatMap((piece) => [...piece, ...new Int16Array(8_000)]));

it('words that come twice are found where they came first, though the first time lost a frame', async () => {
  const [question, sorry] = await Promise.all([QUESTION, SORRY].map((text) => hearing.words(text)));
  const hurt = question!.slice();
  hurt.fill(0, hurt.length >> 1, (hurt.length >> 1) + 160);
  const [first, second, third] = await hearing.inOrder(heard(hurt, question!, sorry!), [QUESTION, QUESTION, SORRY]);
  const lengthMs = question!.length / 8 + 1_000;
  assert.ok(Math.abs(first!) < 2 && Math.abs(second! - lengthMs) < 2 && Math.abs(third! - 2 * lengthMs) < 2);
});

it('words that were not heard, or not in this order, are missed', async () => {
  const [question, sorry] = await Promise.all([QUESTION, SORRY].map((text) => hearing.words(text)));
  await assert.rejects(hearing.inOrder(heard(question!), [SORRY]), /"No DTMF Code entered." after 0 ms/);
  await assert.rejects(hearing.inOrder(heard(sorry!, question!), [QUESTION, SORRY]), /"No DTMF Code entered."/);
});
