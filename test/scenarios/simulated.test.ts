/**
 * Simulation equals reality: each document is run by `simulate` and by a real call, and both tell the same story, event
 * by event, timings aside.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPhone, type Phone } from '@opentact/phone';
import type { CallEvent } from '@opentact/proto';
import { type Scenario, simulate } from '../../services/flow-engine/src/simulate/simulate.ts';
import { chainsOf } from '../kit/chains.ts';
import type { Reply } from '../kit/customer.ts';
import { openScene, type Scene } from '../kit/scene.ts';

const FROM = '12125550199';
const STAYS_MS = 700;
const REACTION_MS = 400;
const ANSWERS: Record<string, string | number> = {
  '/nested': '<Response><Say>Nested.</Say></Response>',
  '/next': '<Response><Say>Two.</Say></Response>',
  '/customer': '{"vip":true,"name":"Ann","level":3}',
  '/empty': '',
  '/broken': 500,
};

type Case = {
  /** Each is pressed a little after a Gather, or a prompt before one, begins. */
  press?: string[];
  autoAnswer?: boolean;
};
/** By document. */
const CASES: Record<string, Case> = {
  voicemail: {},
  menu: { press: ['2', '1', '7'] },
  silence: {},
  conditions: {},
  tones: {},
  'recorded-block': {},
  'recorded-behind': {},
  hold: {},
  dial: {},
  'dial-both': {},
  callback: {},
  curl: {},
  redirect: {},
  early: { autoAnswer: false },
  busy: { autoAnswer: false },
  'key-ahead': { press: ['4', '2'] },
  failures: {},
};

let scene: Scene;
let busy: Phone;
const stories = new Map<string, { xml: string; real: CallEvent[] }>();

const addressOf = (phone: Phone, user: string) => `${user}@127.0.0.1:${phone.port}`;

function documentOf(name: string): string {
  const xml = readFileSync(new URL(`./documents/${name}.xml`, import.meta.url), 'utf8');
  return xml
    .replaceAll('{server}', scene.customer.url)
    .replaceAll('{callee}', addressOf(scene.callee, 'callee'))
    .replaceAll('{busy}', addressOf(busy, 'busy'));
}

/** A call as a person would make it: waits for each question, and presses. */
async function real(name: string, { press = [], autoAnswer = true }: Case): Promise<void> {
  const phone = await openPhone({ user: FROM });
  try {
    const xml = documentOf(name);
    const call = await phone.call(await scene.staged(xml, autoAnswer));
    for (let waited = 0; call.platformCallId === '' && waited < 5_000; waited += 10) await sleep(10);
    const callId = call.platformCallId;
    let since = 0;
    for (const key of press) {
      await scene.platform.until(callId, (e) => {
        const listens = e.type === 'PlayRequested' || (e.type === 'TimerSet' && e.purpose === 'gather');
        return listens && e.seq > since;
      });
      await sleep(REACTION_MS);
      await call.peer.press(key);
      since = (await scene.platform.until(callId, (e) => e.seq > since && e.type === 'DigitPressed')).seq;
    }
    stories.set(name, { xml, real: await scene.platform.ended(callId, 40_000) });
  } finally {
    await phone.close();
  }
}

/** Without what no two calls share: uuids, times, the name of the app that runs it. */
const nameless = (text: string, callId: string) =>
  text
    .replaceAll(callId, 'IT')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|(?<=sca=|uuid\\":\\")simulated/g, 'IT')
    .replace(/(\w+_on\\":\\")[^"\\]*/g, '$1THEN')
    .replace(/(sip_control_app\\":\{)[^}]*/g, '$1APP');

const afterAWhile =
  (answer: string | number): Reply =>
  async (response) => {
    await sleep(250);
    if (typeof answer === 'string') response.end(answer);
    else response.writeHead(answer).end();
  };

function simulated(name: string, xml: string, story: CallEvent[]): CallEvent[] {
  const { press = [], autoAnswer = true } = CASES[name]!;
  const arrived = story[0]!;
  if (arrived.type !== 'CallArrived') throw new Error('a story begins with CallArrived');
  const scenario: Scenario = {
    xml,
    press,
    autoAnswer,
    from: FROM,
    to: arrived.toNumber,
    at: arrived.at,
    attribution: arrived.attribution,
    location: { state: 'NY', county: 'NEW YORK' },
    callees: { [`sip:${addressOf(busy, 'busy')}`]: 'busy' },
    calleeStaysMs: STAYS_MS,
    server: ({ url }) => {
      const answer = ANSWERS[new URL(url).pathname];
      return typeof answer === 'string' ? { status: 200, body: answer } : { status: answer ?? 404, body: '' };
    },
  };
  return simulate(scenario).events;
}

describe('simulation equals reality', { timeout: 120_000 }, () => {
  before(async () => {
    [scene, busy] = await Promise.all([openScene(), openPhone({ user: 'busy' })]);
    // As in the simulation, media is there before a customer's server has answered.
    for (const [path, answer] of Object.entries(ANSWERS)) scene.customer.on(path, afterAWhile(answer));
    busy.onCall = (call) => call.hangup(486);
    scene.callee.onCall = (call) => {
      // Behind the busy one's answer, as in the simulation.
      setTimeout(() => call.ring(), 300);
      setTimeout(() => call.accept(), 600);
      call.on('answered', () => setTimeout(() => call.hangup(), STAYS_MS));
    };
    const names = Object.keys(CASES);
    // A few at a time: the stories are compared, not the machine.
    while (names.length > 0) await Promise.all(names.splice(0, 6).map((name) => real(name, CASES[name]!)));
  });
  after(async () => {
    await busy?.close();
    await scene?.close();
  });

  for (const name of Object.keys(CASES))
    it(`${name}.xml`, () => {
      const { xml, real: story } = stories.get(name)!;
      const wanted = simulated(name, xml, story);
      const said = (events: CallEvent[]) => chainsOf(events, (text) => nameless(text, story[0]!.callId));
      assert.deepEqual(said(story), said(wanted));
    });
});
