/**
 * Kills the very process that serves a call, as a power cut would, and says what its caller lost by that. It goes by the
 * pid file of this home alone, and only for a process that runs for it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallEvent } from '@opentact/proto';
import { processOf, servingPid } from '@opentact/runtime';
import type { PhoneCall } from '../phone-call.ts';
import type { Control } from './control.ts';

export const KINDS = ['media', 'engine', 'edge', 'notifier', 'cell', 'api'] as const;
export type Kind = (typeof KINDS)[number];

/** Which process, and behind which event of the story: by its type, `VerbStarted`. */
export type Kill = { kind: Kind; at: string };

/** What the story calls the nodes that a call is given. A cell is looked for by the media it gives. */
const NODES: Partial<Record<Kind, string>> = { media: 'media', edge: 'sip-edge', notifier: 'notifier', cell: 'media' };
/** A packet comes each 20 ms; so long behind the kill the gaps between them are looked at. */
const WINDOW_MS = 10_000;

type Heard = Pick<PhoneCall['peer']['heard'], 'packets' | 'longestGapMs' | 'lastPacketMs'>;

/** The first packet of sound may follow the event by some milliseconds; a kill before it would show no loss. */
const FIRST_SOUND_MS_MAX = 1_000;

async function firstSound(heard: Heard): Promise<void> {
  for (const end = performance.now() + FIRST_SOUND_MS_MAX; heard.packets === 0 && performance.now() < end; )
    await sleep(10);
}

/** From now on: the longest time without a packet, until it is closed. */
export function watchSound(heard: Heard) {
  const before = heard.packets;
  heard.longestGapMs = 0;
  const look = () => ({
    wasHeard: before > 0,
    isBack: heard.packets > before,
    gapMs: Math.round(Math.max(heard.longestGapMs, heard.packets > 0 ? performance.now() - heard.lastPacketMs : 0)),
  });
  let last: ReturnType<typeof look> | undefined;
  const close = (): void => {
    last ??= look();
  };
  return { close, lost: () => last ?? look() };
}

type Around = {
  call: PhoneCall;
  control: Pick<Control, 'call'>;
  home: string;
  print(line: string): void;
};

/** The one kill of a call: it is given each event of the story, and says at the end what came of it. */
export function createKill({ kind, at }: Kill, { call, control, home, print }: Around) {
  const wanted = NODES[kind];
  let node = '';
  let isDue = true;
  let verbsBehind = 0;
  let done: { who: string; sound: ReturnType<typeof watchSound> } | undefined;
  let why = `no ${at} came`;

  async function nameOf(): Promise<string> {
    if (kind === 'api') return 'api';
    if (kind === 'engine') return (await control.call(call.platformCallId)).engine;
    return node;
  }
  async function kill(): Promise<void> {
    const serving = await nameOf();
    if (kind === 'cell' && serving && processOf(serving) === serving) {
      why = `this installation has no cells: ${serving} is a process of its own`;
      return;
    }
    const name = processOf(serving);
    const pid = name ? await servingPid(home, name) : undefined;
    if (pid === undefined) {
      why = name ? `no ${name} runs for ${home}` : `no ${kind} serves this call at ${at}`;
      return;
    }
    if (kind === 'media' || kind === 'cell') await firstSound(call.peer.heard);
    const sound = watchSound(call.peer.heard);
    process.kill(pid, 'SIGKILL');
    done = { who: `${name} (pid ${pid})`, sound };
    print(`         kill -9 ${pid}: ${name}, which serves this call`);
    call.once('ended', sound.close);
    setTimeout(sound.close, WINDOW_MS).unref();
  }
  return {
    onEvent(event: CallEvent): void {
      if (event.type === 'NodeAssigned' && event.kind === wanted) node = event.node;
      if (event.type === 'CallArrived' && kind === 'edge') node = event.from?.source ?? '';
      if (done && event.type === 'VerbEnded') verbsBehind++;
      if (!isDue || event.type !== at) return;
      isDue = false;
      kill().catch((error: Error) => {
        why = error.message;
      });
    },
    /** @param ending of the call, where it is known. */
    report(ending: { owner: string } | undefined): { isKilled: boolean; lines: string[] } {
      if (!done) return { isKilled: false, lines: [`nothing was killed: ${why}`] };
      const { wasHeard, isBack, gapMs } = done.sound.lost();
      const lost = !wasHeard
        ? 'the caller heard nothing yet'
        : `the caller lost ${gapMs} ms: the longest time without a packet of sound (20 ms is usual)${isBack ? '' : ', and none came any more'}`;
      const went =
        ending && ending.owner !== 'us' ? `went on (verbs ended behind it: ${verbsBehind})` : 'did not go on';
      return { isKilled: true, lines: [`killed ${done.who} at ${at}`, lost, `the call ${went}`] };
    },
  };
}
