/**
 * `npm run failure`: kills the owning engine again and again under a call, and prints how long each call waited: from
 * the kill to the reaction to a key that was pressed right after it. `-- --kills N` (100), on postgres.
 */
import { parseArgs } from 'node:util';
import { machine, percentile } from '../kit/load-average.ts';
import { openPhone } from '../kit/phone.ts';
import { callDocument } from '../kit/place-call.ts';
import { startPlatform } from '../kit/platform.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '100' } } });
const KILLS = Number(values.kills);
const LIMIT_MS = 1_000;
const XML =
  '<Response><Gather numDigits="1" timeout="20000"><Say>Press a key while your engine is killed, and hear how long it takes to come back to you.</Say></Gather><Say>Back.</Say></Response>';

const platform = await startPlatform();
const phone = await openPhone();
const recovered: number[] = [];
const gaps: number[] = [];
let faults = 0;

async function round(): Promise<void> {
  await platform.whole();
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
  recovered.push(reacted.at - killedAt);
  gaps.push(call.peer.heard.longestGapMs);
  const broken = story.some((e, i) => e.seq !== i + 1) || story.filter((e) => e.type === 'PlayRequested').length !== 2;
  if (broken) faults++;
  phone.calls.delete(call.sipCallId);
  await call.peer.close();
}

for (let i = 1; i <= KILLS; i++) {
  await round();
  if (i % 10 === 0)
    process.stdout.write(`${i} kills, p50 ${percentile(recovered, 0.5)} ms, max ${Math.max(...recovered)} ms\n`);
}
await phone.close();
await platform.stop();

const bins = [200, 300, 400, 500, 600, 700, 800, 1_000, 1_500, 3_000, Number.POSITIVE_INFINITY];
process.stdout.write(
  `\nFrom kill -9 of the owning flow-engine to the reaction to a key pressed at once (postgres; ${machine()}):\n`,
);
let below = 0;
for (const bin of bins) {
  const count = recovered.filter((r) => r >= below && r < bin).length;
  process.stdout.write(
    `  ${String(below).padStart(5)} … ${(bin === Number.POSITIVE_INFINITY ? '' : `${bin} ms`).padEnd(8)} ${String(count).padStart(4)}  ${'█'.repeat(Math.ceil((count / KILLS) * 60))}\n`,
  );
  below = bin;
}
const p99 = percentile(recovered, 0.99);
process.stdout.write(
  `  ${KILLS} kills: p50 ${percentile(recovered, 0.5)} ms, p90 ${percentile(recovered, 0.9)} ms, p99 ${p99} ms, max ${Math.max(...recovered)} ms\n`,
);
process.stdout.write(
  `  longest RTP pause at the phone: p50 ${Math.round(percentile(gaps, 0.5))} ms, max ${Math.round(Math.max(...gaps))} ms; stories with a gap or a repetition: ${faults}\n`,
);
process.stdout.write(
  p99 < LIMIT_MS && faults === 0
    ? `p99 is under ${LIMIT_MS} ms\n`
    : `NOT SHOWN: p99 ${p99} ms, limit ${LIMIT_MS} ms, ${faults} faults\n`,
);
process.exitCode = p99 < LIMIT_MS && faults === 0 ? 0 : 1;
