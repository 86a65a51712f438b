/**
 * `npm run call`: a real SIP and RTP call from a built-in phone. It presses keys when the story shows a Gather, saves
 * what it heard, and prints the story from the journal. Ends 0 only if the call ended normally.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { status } from '@grpc/grpc-js';
import { storyLine } from '@opentact/proto';
import { readPlatformConfig } from '@opentact/runtime';
import { openControl, type WireEvent } from './control.ts';
import { openPhone, type PhoneCall } from './phone.ts';

const HELP = `npm run call -- [options]
    Calls the running platform (npm start) from a built-in phone and prints the call's story, one event per line.
      --to NUMBER          whom to call; default 18005550100, or a whole sip: address
      --press K[@WHEN]     press a key when the next Gather listens; WHEN: gather (default) or ms after the answer
                           repeat for more; --press 12 presses both in turn
      --document FILE      run this document instead of the number's app
      --save FILE          what was heard, as WAV
      --hangup-after MS    hang up this long after the answer
      --sip                the ladder of SIP messages afterwards
`;

const OPTIONS = {
  help: { type: 'boolean' },
  to: { type: 'string', default: '18005550100' },
  press: { type: 'string', multiple: true },
  save: { type: 'string' },
  document: { type: 'string' },
  'hangup-after': { type: 'string' },
  sip: { type: 'boolean' },
} as const;
const CALL_MS_MAX = 600_000;
/** A transaction without any response is over (RFC 3261 17.1.1.2, Timer B). */
const SILENT_MS = 32_000;
const REOPENS_MAX = 10;
const REACTION_MS = 300;
const READY_MS = 10_000;

const { values } = (() => {
  try {
    return parseArgs({ options: OPTIONS });
  } catch (error) {
    return fail(2, `${(error as Error).message.split('. ')[0]}; npm run call -- --help lists the options`);
  }
})();
const config = readPlatformConfig('call', process.env);
const out = (line: string) => void process.stdout.write(`${line}\n`);
const from = (path: string) => resolve(process.env.INIT_CWD ?? '.', path);

function fail(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

type Press = { digits: string; when: 'gather' | number };
const presses = (values.press ?? []).map((text): Press => {
  const [, digits, when = 'gather'] = /^([0-9*#A-D]+)(?:@(gather|\d+))?$/i.exec(text) ?? [];
  if (!digits) fail(2, `--press ${text}: keys of 0-9 * # A-D, and @gather or @MS`);
  return { digits, when: when === 'gather' ? 'gather' : Number(when) };
});
const hangupAfter = values['hangup-after'] === undefined ? undefined : Number(values['hangup-after']);
if (hangupAfter !== undefined && !(hangupAfter >= 0)) fail(2, '--hangup-after: milliseconds');

/** Waits a moment for a platform that has just started or is busy. */
async function untilReady(): Promise<void> {
  const url = `http://${config.bind}:${config.httpPort}/ready`;
  for (const end = Date.now() + READY_MS; ; await new Promise((r) => setTimeout(r, 250))) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) return;
    if (!answer) fail(1, `No platform answers at ${url}. Start one in another terminal: npm start`);
    if (Date.now() > end) fail(1, `The platform is not ready: ${await answer.text()}`);
  }
}
await untilReady();
const control = openControl(`${config.bind}:${config.grpcPort}`, config.grpcToken);

async function target(): Promise<string> {
  const edge = `${config.bind}:${config.sipPort}`;
  if (values.document === undefined) return values.to.startsWith('sip:') ? values.to : `sip:${values.to}@${edge}`;
  let xml: string;
  try {
    xml = readFileSync(from(values.document), 'utf8');
  } catch (error) {
    return fail(2, `${values.document}: ${(error as Error).message}`);
  }
  const staged = await control
    .stage(xml)
    .catch((error: { details?: string; message: string }) =>
      fail(1, `${values.document}: ${error.details ?? error.message}`),
    );
  return `sip:${staged.user}@${edge}`;
}

/** The story as it grows; keys are pressed as Gathers begin to listen. An engine that dies takes only the stream along. */
async function follow(call: PhoneCall): Promise<void> {
  let startedAt = 0;
  let seq = 0;
  const waiting = presses.filter((p) => p.when === 'gather');
  for (let tries = 0; ; tries++) {
    try {
      for await (const event of control.events(call.platformCallId, { from: seq + 1, follow: true })) {
        startedAt ||= event.at;
        seq = event.seq;
        out(storyLine(flat(event), startedAt));
        if (event.body === 'verb_started' && (event.verb_started as { name: string }).name === 'Gather') {
          const next = waiting.shift();
          if (next) setTimeout(() => void pressAll(call, next.digits), REACTION_MS);
        }
      }
      return;
    } catch (error) {
      if (tries === REOPENS_MAX || (error as { code?: number }).code !== status.UNAVAILABLE) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}

async function pressAll(call: PhoneCall, digits: string): Promise<void> {
  for (const digit of digits) {
    await call.peer.press(digit.toUpperCase());
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** As the flat union has it; `storyLine` reads both alike but for the spelling of names. */
function flat(event: WireEvent): Parameters<typeof storyLine>[0] {
  const camel = (name: string) => name.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
  const fields = Object.fromEntries(
    Object.entries(event[event.body] as object).flatMap(([name, value]) => {
      // The loader adds `_name` beside each field that may be absent; a dialog is no line for people.
      return name.startsWith('_') || name === 'dialog' ? [] : [[camel(name), value]];
    }),
  );
  if (event.body === 'play_requested')
    fields.items = (fields.items as Array<{ source: string } & Record<string, unknown>>).map((i) => ({
      kind: camel(i.source),
      value: i[i.source],
    }));
  const type = camel(event.body).replace(/^./, (c) => c.toUpperCase());
  return {
    ...fields,
    type,
    callId: event.call_id,
    seq: event.seq,
    at: event.at,
    ...(event.from && { from: event.from }),
    ...(event.to && { to: event.to }),
  } as never;
}

type Traced = { at: number; direction: 'in' | 'out'; peer: string; text: string };

/** The messages of the call as each edge that had to do with it kept them. */
async function ladder(callId: string): Promise<void> {
  const sockets = readdirSync(join(config.home, 'run')).filter((file) => /^sip-edge.*\.health$/.test(file));
  let kept = false;
  for (const file of sockets) kept = (await ladderOf(callId, join(config.home, 'run', file))) || kept;
  if (!kept) out('no edge keeps messages of this call');
}

/** @returns whether that edge has messages of it. */
function ladderOf(callId: string, socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    request({ socketPath, path: `/calls/${callId}/sip` }, (response) => {
      let body = '';
      response.on('data', (d) => (body += d));
      response.on('end', () => {
        const { messages = [] } = JSON.parse(body) as { messages?: Traced[] };
        for (const { at, direction, peer, text } of messages) {
          const [line, ...rest] = text.trimEnd().split(/\r?\n/);
          out(
            `\n${new Date(at).toISOString().slice(11, 23)}  ${direction === 'in' ? `${peer} ──▶ edge` : `edge ──▶ ${peer}`}  ${line}`,
          );
          for (const header of rest) out(`              ${header}`);
        }
        done(messages.length > 0);
      });
    })
      .on('error', (error) => {
        out(`the SIP messages of ${socketPath} can't be had: ${error.message}`);
        done(false);
      })
      .end();
  });
}

const phone = await openPhone({ user: '12125550199' });
const call = await phone.call(await target());
process.on('SIGINT', () => call.hangup());
await Promise.race([
  call.until('answered', 60_000).catch(() => undefined),
  new Promise((done) => setTimeout(done, SILENT_MS)),
]);
if (!call.platformCallId && !call.ended && call.state === 'calling')
  fail(1, `Nobody answers SIP at ${config.bind}:${config.sipPort}. Is OPENTACT_SIP_PORT set as it was for npm start?`);
for (const { digits, when } of presses) if (when !== 'gather') setTimeout(() => void pressAll(call, digits), when);
if (hangupAfter !== undefined) setTimeout(() => call.hangup(), hangupAfter);
// A caller who was refused at once has no story.
const told =
  call.platformCallId && call.ended?.status !== 404
    ? follow(call).catch((error: Error) => void out(`the story can't be had: ${error.message}`))
    : undefined;
if (!call.ended) await call.until('ended', CALL_MS_MAX).catch(() => call.hangup());
await Promise.race([told, new Promise((done) => setTimeout(done, 3_000))]);

const { heard } = call.peer;
if (values.save !== undefined) {
  try {
    writeFileSync(from(values.save), heard.wav());
  } catch (error) {
    out(`\n${values.save} can't be written: ${(error as Error).message}`);
  }
  out(`\nheard ${(heard.pcm.length / 8000).toFixed(1)} s, saved as ${values.save}`);
}
if (values.sip && call.platformCallId) await ladder(call.platformCallId);
const state = call.platformCallId ? await control.getCall(call.platformCallId).catch(() => undefined) : undefined;
const normal = call.answeredAt > 0 && state !== undefined && !['us', 'customer-server'].includes(state.owner);
out(
  `\n${normal ? 'Ended' : 'Failed'}: ${state ? `${state.reason} (owner: ${state.owner})` : `SIP ${call.ended?.status ?? 'silence'}${call.ended?.status === 404 ? `, nobody has ${values.to}` : ''}`}   call ${call.platformCallId || 'never began'}`,
);
control.close();
await phone.close();
process.exit(normal ? 0 : 1);
