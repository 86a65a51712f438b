/**
 * `npm run call`: a real SIP and RTP call from the built-in phone. It presses keys when the story shows a Gather, saves
 * what it heard, and tells the story as the journal has it. Ends 0 only if the call is known to have ended normally.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { CallEvent } from '@opentact/proto';
import {
  addressesOf,
  type Config,
  ConfigError,
  decodeText,
  isAlive,
  operatorToken,
  pidFileOf,
  readHomeConfig,
  readPid,
  unknownVariables,
} from '@opentact/runtime';
import { openPhone } from '../phone.ts';
import type { PhoneCall } from '../phone-call.ts';
import { type Control, openControl } from './control.ts';
import { type Ending, follow, pressAll } from './follow.ts';
import { createKill } from './kill.ts';
import { ladder } from './ladder.ts';
import { HELP, type Options, placeOf, readOptions, Stopped } from './options.ts';
import { verdictOn } from './verdict.ts';

const CALL_MS_MAX = 600_000;
/** A transaction without any response is over (RFC 3261 17.1.1.2, Timer B). */
const SILENT_MS = 32_000;
const READY_MS = 20_000;
/** How long the rest of the story is waited for after the call: another engine may have to take it over first. */
const STORY_MS = 15_000;
/** How long the phone waits for the BYE of a call that is over. */
const BYE_MS = 10_000;

const out = (line: string) => void process.stdout.write(`${line}\n`);
const after = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Of the platform that runs in this home. @throws Stopped */
function configOfHome(): Config {
  try {
    return readHomeConfig('call', process.env);
  } catch (fault) {
    if (fault instanceof ConfigError) throw new Stopped(2, fault.message);
    throw fault;
  }
}

/** Does somebody keep a platform running in this home? */
async function isStarted({ home }: Config): Promise<boolean> {
  const pid = await readPid(pidFileOf(home, 'standalone'));
  return pid !== undefined && isAlive(pid);
}

/** Waits a moment for a platform that has just started or is busy. @throws Stopped */
async function untilReady(config: Config): Promise<void> {
  const url = `http://${addressesOf(config).http}/ready`;
  for (const end = Date.now() + READY_MS; ; await after(250)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    // Its api may be on its way back: it is started again, or replaced.
    if (!answer && (Date.now() > end || !(await isStarted(config))))
      throw new Stopped(1, `No platform answers at ${url}. Start one in another terminal: npm start`);
    if (Date.now() > end) throw new Stopped(1, `The platform is not ready: ${await answer!.text()}`);
  }
}

/** The address to call: the number's, or one under which the document is run. @throws Stopped */
async function addressOf({ document, to }: Options, control: Control, edge: string): Promise<string> {
  if (document === undefined) return to.startsWith('sip:') ? to : `sip:${to}@${edge}`;
  const xml = textOf(document);
  for (const end = Date.now() + READY_MS; ; await after(250)) {
    try {
      return `sip:${(await control.stage(xml)).user}@${edge}`;
    } catch (error) {
      const { code, details, message } = error as { code?: number; details?: string; message: string };
      if (code !== status.UNAVAILABLE || Date.now() > end) throw new Stopped(1, `${document}: ${details ?? message}`);
    }
  }
}

function textOf(document: string): string {
  try {
    return decodeText(readFileSync(placeOf(document)), '');
  } catch (error) {
    throw new Stopped(2, `${document}: ${(error as Error).message}`);
  }
}

/** Until the platform named the call, or it is over. */
async function named(call: PhoneCall): Promise<void> {
  for (const end = Date.now() + SILENT_MS; !call.platformCallId && !call.ended && Date.now() < end; ) await after(10);
}

/** The call as it goes, until it ended and its story is told. @throws Stopped */
async function converse(
  call: PhoneCall,
  control: Control,
  { presses, hangupAfterMs, verbose }: Options,
  of: { edge: string; onEvent: ((event: CallEvent) => void) | undefined },
): Promise<Ending | undefined> {
  await named(call);
  if (!call.platformCallId && !call.ended && call.state === 'calling')
    throw new Stopped(1, `Nobody answers SIP at ${of.edge}. Is it OPENTACT_HOME of the platform that runs?`);
  const atAnswer = () => {
    for (const { digits, when } of presses) if (when !== 'gather') setTimeout(() => void pressAll(call, digits), when);
    if (hangupAfterMs !== undefined) setTimeout(() => call.hangup(), hangupAfterMs);
  };
  call.until('answered', CALL_MS_MAX).then(atAnswer, () => undefined);
  if (!call.platformCallId) return undefined;
  const told = follow(call, control, { presses, verbose, print: out, onEvent: of.onEvent }).catch((error: Error) => {
    // A caller who was refused at once has no story.
    if (call.ended?.status !== 404) out(`the story can't be had: ${error.message}`);
    return undefined;
  });
  const over = call.until('ended', CALL_MS_MAX).catch(() => call.hangup());
  await Promise.race([told, over]);
  if (call.ended) return (await Promise.race([told, after(STORY_MS)])) as Ending | undefined;
  const ending = await told;
  if (ending) await Promise.race([over, after(BYE_MS)]);
  return ending;
}

function save(call: PhoneCall, path: string): void {
  const { heard } = call.peer;
  try {
    writeFileSync(placeOf(path), heard.wav());
    out(`\nheard ${(heard.pcm.length / 8000).toFixed(1)} s, saved as ${path}`);
  } catch (error) {
    out(`\n${path} can't be written: ${(error as Error).message}`);
  }
}

/** What the platform says of a call whose story was not told to its end. */
async function askedEnding({ platformCallId }: PhoneCall, control: Control) {
  const state = platformCallId ? await control.call(platformCallId).catch(() => undefined) : undefined;
  return state && state.endedAt > 0 ? state : undefined;
}

/** @returns the exit code. @throws Stopped */
async function run(options: Options): Promise<number> {
  for (const sentence of unknownVariables(process.env)) process.stderr.write(`warning: ${sentence}\n`);
  const config = configOfHome();
  const { sip: edge, grpc } = addressesOf(config);
  await untilReady(config);
  const control = openControl(grpc, await operatorToken(config));
  const phone = await openPhone({ user: '12125550199' });
  const call = await phone.call(await addressOf(options, control, edge));
  process.on('SIGINT', () => call.hangup());
  const kill = options.kill && createKill(options.kill, { call, control, home: config.home, print: out });
  const told = await converse(call, control, options, { edge, onEvent: kill?.onEvent });
  const heardEnd = call.ended !== undefined;
  call.hangup();
  if (options.save !== undefined) save(call, options.save);
  if (options.sip && call.platformCallId) await ladder(call.platformCallId, join(config.home, 'run'), out);
  const ending = told ?? (await askedEnding(call, control));
  const report = kill?.report(ending);
  if (report) out(`\n${report.lines.join('\n')}`);
  const { code, line } = verdictOn(call, ending, { to: options.to, heardEnd });
  out(`\n${line}`);
  control.close();
  await phone.close();
  return code === 0 && report && !report.isKilled ? 1 : code;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(HELP);
  process.exit(options.help ? 0 : await run(options));
} catch (error) {
  if (!(error instanceof Stopped)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error.code);
}
