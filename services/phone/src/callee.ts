/**
 * The demo callee: a SIP phone that answers on OPENTACT_DEMO_PORT, speaks, and hangs up after ten seconds. Started by
 * the standalone beside the demo customer. It takes twenty calls at a time.
 */
import { configOrExit } from '@opentact/runtime';
import { spoken } from '../../media/src/peer/index.ts';
import { openPhone } from './phone.ts';

const STAYS_MS = 10_000;
const RINGS_MS = 1_000;
const CALLS_MAX = 20;

const config = configOrExit('demo-callee', process.env, process.argv.slice(2));
const quiet = process.argv.includes('--quiet');
const words = await spoken('Hello, this is the demo callee. You are connected. Good bye.');
const phone = await openPhone({ port: config.demoPort, user: '1000' });
const say = (text: string) => void (quiet || process.stdout.write(`demo callee: ${text}\n`));

phone.onCall = (call) => {
  const live = [...phone.calls.values()].filter((c) => c.state !== 'ended').length;
  if (live > CALLS_MAX) return call.hangup(486);
  call.ring();
  say('rings');
  const answer = setTimeout(() => {
    call.accept();
    say(`answers, speaks, and hangs up in ${STAYS_MS / 1000} s`);
    void call.peer.say(words);
  }, RINGS_MS);
  const leave = setTimeout(() => call.hangup(), RINGS_MS + STAYS_MS);
  call.on('ended', ({ by }: { by: string }) => {
    clearTimeout(answer);
    clearTimeout(leave);
    say(by === 'us' ? 'hung up' : 'was hung up on');
    void call.peer.close();
    phone.calls.delete(call.sipCallId);
  });
};

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    for (const call of phone.calls.values()) call.hangup();
    setTimeout(() => process.exit(0), 100);
  });
