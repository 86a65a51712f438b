/** Many kills of the engine that owns a call, and how long each call waited: from the kill to the reaction to a key pressed at once. */

import { openPhone, type Phone } from '@opentact/phone';
import { machine, percentile } from '../../kit/load-average.ts';
import { callDocument } from '../../kit/place-call.ts';
import type { Platform } from '../../kit/platform.ts';

const XML =
  '<Response><Gather numDigits="1" timeout="20000"><Say>Press a key while your engine is killed, and hear how long it takes to come back to you.</Say></Gather><Say>Back.</Say></Response>';
const BINS = [200, 300, 400, 500, 600, 700, 800, 1_000, 1_500, 2_000, 3_000, Number.POSITIVE_INFINITY];

type Wanted = { kills: number; log: string; limitMs: number; say(text: string): void };
type Round = { recoveredMs: number; gapMs: number; isBroken: boolean };

/** @returns whether the 99th percentile is below the limit and no story was broken. */
export async function killMany(platform: Platform, { kills, log, limitMs, say }: Wanted): Promise<boolean> {
  const phone = await openPhone();
  const rounds: Round[] = [];
  for (let i = 1; i <= kills; i++) {
    rounds.push(await killOne(platform, phone));
    const waits = rounds.map((r) => r.recoveredMs);
    if (i % 10 === 0) say(`${log}  ${i} kills, p50 ${percentile(waits, 0.5)} ms, max ${Math.max(...waits)} ms\n`);
  }
  await phone.close();
  const waits = rounds.map((r) => r.recoveredMs);
  const gaps = rounds.map((r) => r.gapMs);
  const faults = rounds.filter((r) => r.isBroken).length;
  const p99 = percentile(waits, 0.99);
  say(`\nFrom kill -9 of the owning flow-engine to the reaction to a key pressed at once (${log}; ${machine()}):\n`);
  say(histogram(waits));
  say(
    `  ${kills} kills: p50 ${percentile(waits, 0.5)} ms, p90 ${percentile(waits, 0.9)} ms, p99 ${p99} ms, max ${Math.max(...waits)} ms\n` +
      `  longest RTP pause at the phone: p50 ${Math.round(percentile(gaps, 0.5))} ms, max ${Math.round(Math.max(...gaps))} ms; stories with a gap or a repetition: ${faults}\n`,
  );
  const shown = p99 < limitMs && faults === 0;
  say(
    shown
      ? `  p99 is under ${limitMs} ms\n\n`
      : `  NOT SHOWN: p99 ${p99} ms, limit ${limitMs} ms, ${faults} faults\n\n`,
  );
  return shown;
}

async function killOne(platform: Platform, phone: Phone): Promise<Round> {
  await platform.whole(60_000);
  const call = await callDocument(platform, phone, XML);
  const callId = call.platformCallId;
  await platform.until(callId, (e) => e.type === 'LegConfirmed');
  const killedAt = Date.now();
  const owner = platform.ownerOf(callId);
  platform.kill(owner);
  await call.peer.press('5');
  const reacted = await platform.until(callId, (e) => e.type === 'VerbEnded', 20_000);
  const story = await platform.ended(callId, 30_000);
  if (!platform.tookOverSince(callId, killedAt).some((name) => name !== owner))
    throw new Error(`${owner} was killed, but nobody took over`);
  const gapMs = call.peer.heard.longestGapMs;
  phone.calls.delete(call.sipCallId);
  await call.peer.close();
  const isBroken =
    story.some((e, i) => e.seq !== i + 1) || story.filter((e) => e.type === 'PlayRequested').length !== 2;
  return { recoveredMs: reacted.at - killedAt, gapMs, isBroken };
}

function histogram(waits: readonly number[]): string {
  let below = 0;
  let text = '';
  for (const bin of BINS) {
    const count = waits.filter((w) => w >= below && w < bin).length;
    const upper = bin === Number.POSITIVE_INFINITY ? '' : `${bin} ms`;
    text += `  ${String(below).padStart(5)} … ${upper.padEnd(8)} ${String(count).padStart(4)}  ${'█'.repeat(Math.ceil((count / waits.length) * 60))}\n`;
    below = bin;
  }
  return text;
}
