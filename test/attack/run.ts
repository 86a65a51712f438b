/**
 * `npm run attack`: each attack against a running platform while another account's calls go on. It prints what was sent,
 * what the platform did, what the others noticed, and memory; it ends non-zero when a line falls short.
 */
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import type { Outcome } from '../load/order.ts';
import { type Arena, openArena } from './arena.ts';
import type { Attack, Verdict } from './attack.ts';
import { ATTACKS } from './attacks/index.ts';
import { ATTEMPTS, hostileDay } from './day.ts';
import { bye, call, offer, openDatagrams, sleep } from './sip.ts';

const HELP = `npm run attack -- [--only ITEM,ITEM] [--short] [--list]
npm run attack -- --day [--minutes 10] [--seed N]

Tries what services/SECURITY.md promises, one program per line, against a platform of its own on loopback, while calls of
another account run: none of them may fail, and the p99 of their 200 may at most double. Ends 1 where a line falls short.

  --only 1.1,4.2  these items alone
  --short         what npm test runs
  --list          names them
  --day           a day's number of hostile attempts (100,000 of 1,000 addresses) in ten minutes, beside 5 calls a second of
                  another account, none of which may be lost; --minutes shortens it, and the attempts with it
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    day: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    help: { type: 'boolean', default: false },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);

/** Below this a doubled p99 says more about the machine than about the attack. */
const P99_FLOOR_MS = 40;
/** A hundred calls, so that a p99 is not just the slowest of them. */
const CALM_S = 25;
const SECONDS = 25;
const SHORT_SECONDS = 8;
/** What one attack may leave behind; the heap of a process that worked is larger than before, and stays so. */
const MEMORY_MIB_MAX = 160;

if (values.help) {
  say(HELP);
  process.exit(0);
}
const items = values.only?.split(',');
const wanted = ATTACKS.filter((a) =>
  items ? items.some((i) => a.item === i || a.item.startsWith(`${i}.`)) : !values.short || a.short,
);
if (values.list || wanted.length === 0) {
  for (const { item, name } of ATTACKS) say(`${item.padEnd(6)} ${name}`);
  process.exit(values.list ? 0 : 2);
}

const minutes = Number(values.minutes);
if (!(minutes > 0 && minutes <= 60 && Number.isInteger(Number(values.seed)))) {
  process.stderr.write(`--minutes: up to 60; --seed: a whole number\n\n${HELP}`);
  process.exit(2);
}
const arena = await openArena();
let failed = 0;
process.once('SIGINT', () => void arena.close().then(() => process.exit(130)));
try {
  if (wanted.some((a) => a.trunked)) await arena.trunked();
  // The first calls compile code and fill caches, and the first long speech has its thread take the memory that it keeps.
  await Promise.all([arena.goodCalls(8), longSpeech()]);
  if (values.day) failed = (await day()) ? 0 : 1;
  else if (values.short) failed = await inShort();
  else failed = await attacks();
} finally {
  await arena.close();
}
const passed = (values.day ? 1 : values.short ? wanted.length + 1 : wanted.length) - failed;
say(`\n${passed} passed, ${failed} failed, 0 skipped`);
// What npm test adds up, as the reporter of its test files writes it.
if (process.env.OPENTACT_COUNTS)
  writeFileSync(process.env.OPENTACT_COUNTS, JSON.stringify({ passed, failed, skipped: 0, reasons: [] }));
process.exitCode = failed > 0 ? 1 : 0;

async function longSpeech(): Promise<void> {
  const from = await openDatagrams();
  arena.evil.on('/flow', `<Response><Say>${'Every word of this has its price. '.repeat(60)}</Say></Response>`);
  for (let n = 0; n < 4; n++) {
    const placed = await call(from, arena.platform.sipPort, arena.evilNumber, offer(from.address, 40_000));
    await sleep(1_500);
    bye(from, arena.platform.sipPort, placed);
  }
  await from.close();
}

/** Each attack that is wanted, one after the other. @returns how many fell short */
async function attacks(): Promise<number> {
  const calm = await arena.goodCalls(CALM_S);
  const p99Max = 2 * Math.max(P99_FLOOR_MS, calm.answered.p99);
  say(`others, undisturbed: ${served(calm)}\n`);
  let short = 0;
  for (const attack of wanted) short += (await tried(arena, attack, p99Max)) ? 0 : 1;
  return short;
}

/**
 * The short form: one attack right after the other, and others' calls all the time. Beside a machine's other work a call
 * may be asked to come again (503), which loses nothing, and times say little: neither is judged. @returns how many fell short
 */
async function inShort(): Promise<number> {
  const [before, parts] = [arena.memoryMiB(), arena.memory()];
  let isOver = false;
  const others = (async () => {
    const outcomes: Outcome[] = [];
    do outcomes.push(await arena.goodCalls(SHORT_SECONDS));
    while (!isOver);
    return outcomes;
  })();
  let short = 0;
  for (const attack of wanted) {
    const verdict = await verdictOf(attack);
    tell(attack, verdict.ok, verdict);
    if (!verdict.ok) short++;
  }
  isOver = true;
  const outcomes = await others;
  const lost = outcomes.reduce((sum, { failed: n }) => sum + n, 0);
  const after = arena.memoryMiB();
  const isUnharmed = lost === 0 && after - before <= 2 * MEMORY_MIB_MAX;
  say(`${isUnharmed ? 'ok  ' : 'FAIL'} others: ${outcomes.map(served).join('; ')}`);
  say(`       memory  ${before} MiB before, ${after} MiB after: ${growth(parts, arena.memory())}`);
  return isUnharmed ? short : short + 1;
}

/** @returns whether no call of the account that behaves was lost: each is completed, at its second attempt at the latest */
async function day(): Promise<boolean> {
  const seconds = minutes * 60;
  const [before, parts] = [arena.memoryMiB(), arena.memory()];
  const others = arena.goodCalls(seconds, 5, true);
  yielding(true);
  const counts = await hostileDay(arena, seconds - 2, Math.round((ATTEMPTS * minutes) / 10), Number(values.seed));
  yielding(false);
  const outcome = await others;
  say(
    `seed ${values.seed}, ${minutes} minutes, attempts: ${Object.entries(counts)
      .map(([name, n]) => `${n} ${name}`)
      .join(', ')}`,
  );
  say(`others  ${served(outcome)}; ${outcome.refused} were refused by 503 and made anew`);
  say(
    `memory  ${before} MiB before, ${arena.memoryMiB()} MiB after: ${growth(parts, arena.memory())}; /ready ${(await arena.platform.ready()) ? 'ok' : 'not ok'}`,
  );
  for (const line of arena.refusals()) say(`edge    ${line}`);
  // A refusal says when to come again, and whoever does is served: that is no call lost.
  return outcome.completed === seconds * 5 && outcome.failed === 0 && (await arena.platform.ready());
}

/**
 * An attacker works on a machine of his own: here he has what the platform and its callers leave of the processor. Only
 * root may come back from that.
 */
function yielding(yes: boolean): void {
  const { PRIORITY_LOW, PRIORITY_NORMAL } = constants.priority;
  if (process.getuid?.() === 0) setPriority(yes ? PRIORITY_LOW : PRIORITY_NORMAL);
}

/** One attack, with others' calls beside it from a second before. */
async function tried(arena: Arena, attack: Attack, p99Max: number): Promise<boolean> {
  const [before, parts] = [arena.memoryMiB(), arena.memory()];
  const others = arena.goodCalls(SECONDS);
  await sleep(1_000);
  const verdict = await verdictOf(attack);
  const outcome = await others;
  const after = arena.memoryMiB();
  const isServed = outcome.completed === outcome.started && (attack.kills || outcome.answered.p99 <= p99Max);
  const isOk = verdict.ok && isServed && after - before <= MEMORY_MIB_MAX;
  tell(attack, isOk, verdict);
  say(`       others  ${served(outcome)} (${attack.kills ? 'not judged' : `at most ${p99Max.toFixed(0)}`})`);
  say(`       memory  ${before} MiB before, ${after} MiB after: ${growth(parts, arena.memory())}`);
  return isOk;
}

async function verdictOf(attack: Attack): Promise<Verdict> {
  yielding(true);
  const verdict = await attack
    .run(arena)
    .catch((error: Error) => ({ sent: '', did: `the attack itself failed: ${error.message}`, ok: false }));
  yielding(false);
  return verdict;
}

function tell({ item, name }: Attack, isOk: boolean, { sent, did }: Verdict): void {
  say(`${isOk ? 'ok  ' : 'FAIL'} ${item} ${name}`);
  say(`       sent    ${sent}`);
  say(`       did     ${did}`);
}

/** `api 259 to 362, …`, MiB of each kind of process. */
function growth(before: Record<string, number>, after: Record<string, number>): string {
  return Object.entries(after)
    .map(([kind, mebibytes]) => `${kind} ${before[kind]} to ${mebibytes}`)
    .join(', ');
}

function served({ completed, started, answered, why }: Outcome): string {
  const lost = completed === started ? '' : ` ${JSON.stringify(why)}`;
  return `${completed} of ${started} calls, 200 at ${answered.p50.toFixed(0)}/${answered.p99.toFixed(0)} ms (p50/p99)${lost}`;
}
