/** What the caller does in each case and the documents that the platform runs for it. `{url}` is the case's own folder. */
import type { Behaviour } from './order.ts';

export type Case = {
  name: 'sig' | 'xmlsig' | 'job' | 'hold';
  meaning: string;
  behaviour: Behaviour;
  number: string;
  /** Fetched over HTTP and not answered before; else the app's own document, answered at once. */
  fetched: boolean;
  documents: Record<string, string>;
  /** Rising, calls a second. */
  rates: number[];
};

const WAIT = '<Response><Pause length="30000"/></Response>';
/** A pause doesn't answer a call that is not answered yet. */
const ANSWER_AND_WAIT = '<Response><Answer/><Pause length="30000"/></Response>';

export const CASES: Case[] = [
  {
    name: 'sig',
    meaning: 'INVITE, 200, ACK, BYE; the document is the app’s own, auto_answer',
    behaviour: 'sig',
    number: '18005550301',
    fetched: false,
    documents: { first: WAIT },
    rates: [50, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1_000],
  },
  {
    name: 'xmlsig',
    meaning: 'the same with the document fetched over HTTP before the 200',
    behaviour: 'sig',
    number: '18005550302',
    fetched: true,
    documents: { first: ANSWER_AND_WAIT },
    rates: [50, 100, 150, 200, 250, 300, 400, 500, 600, 800],
  },
  {
    name: 'job',
    meaning: 'document, 200, 1 s prompt, one key, second document, 0.5 s prompt, the platform hangs up; RTP both ways',
    behaviour: 'job',
    number: '18005550303',
    fetched: true,
    documents: {
      first:
        '<Response><Gather numDigits="1" callback="{url}/second"><Play>prompt:first.wav</Play></Gather></Response>',
      second: '<Response><Play>prompt:second.wav</Play></Response>',
    },
    rates: [10, 20, 30, 40, 50, 60, 70, 80, 100, 120],
  },
  {
    name: 'hold',
    meaning: 'calls held while a prompt plays; RTP both ways',
    behaviour: 'hold',
    number: '18005550304',
    fetched: false,
    documents: { first: '<Response><Play>prompt:long.wav</Play></Response>' },
    rates: [25],
  },
];
