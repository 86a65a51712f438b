/**
 * The moments of a call at which something is killed, each reached by an event seen and never by a sleep; and how the
 * people on the phones go on afterwards, as people do: they press a key again if nothing happens.
 */

import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import type { CallEvent } from '@opentact/proto';
import { type Customer, openCustomer } from '../../kit/customer.ts';
import { answered } from '../../kit/place-call.ts';
import type { Platform } from '../../kit/platform.ts';
import { eventually } from '../../kit/scene.ts';

/** A platform, two phones and a customer's server. */
export type Stage = { platform: Platform; customer: Customer; phone: Phone; callee: Phone };

/** A call at its moment. */
export type Moment = {
  call: PhoneCall;
  /** The other phone's call, where there is one. */
  other?: PhoneCall;
  /**
   * Goes on to the call's end. `losesKeys`: what is pressed while the call recovers is lost.
   * @returns the first event that shows that the call went on
   */
  goOn(killedAt: number, losesKeys: boolean): Promise<CallEvent>;
};

export type Situation = {
  name: string;
  begin(stage: Stage): Promise<Moment>;
  /** The verbs as they end, and who ends the call. */
  verbs: string[];
  outcome: string;
  /** Callbacks that the flow has: so many distinct keys reach the customer's server. */
  callbacks: number;
  /** The caller wants no audio meanwhile. */
  isSilent?: true;
};

const KEY_EVERY_MS = 250;
const REACTION_MS = 15_000;

export async function openStage(platform: Platform): Promise<Stage> {
  const [customer, phone, callee] = await Promise.all([openCustomer(), openPhone(), openPhone({ user: 'callee' })]);
  return { platform, customer, phone, callee };
}

export async function closeStage({ customer, phone, callee }: Stage): Promise<void> {
  await Promise.all([customer.close(), phone.close(), callee.close()]);
}

async function dial({ platform, phone }: Stage, xml: string): Promise<PhoneCall> {
  return answered(phone, async () => `sip:${(await platform.control.stage(xml)).user}@${platform.sip}`);
}

/** Presses a key, again and again where keys may be lost, until the platform has heard one after the kill. */
async function pressUntilHeard(
  { platform }: Stage,
  call: PhoneCall,
  digit: string,
  since: number,
  losesKeys = true,
): Promise<CallEvent> {
  let heard: CallEvent | undefined;
  const isIt = (e: CallEvent) => e.type === 'DigitPressed' && e.leg === 0 && e.digit === digit && e.at >= since;
  const found = platform.until(call.platformCallId, isIt, REACTION_MS).then((e) => {
    heard = e;
    return e;
  });
  found.catch(() => {});
  for (let pressed = 0; !heard && call.state === 'answered'; pressed++) {
    if (pressed === 0 || losesKeys) await call.peer.press(digit);
    await Promise.race([found.catch(() => {}), new Promise((done) => setTimeout(done, KEY_EVERY_MS))]);
  }
  return found;
}

const dialled = (callee: Phone) => `<Dial timeout="15"><Sip>callee@127.0.0.1:${callee.port}</Sip></Dial>`;

/** The other phone rings and waits for what the moment does with it. */
function ringing(callee: Phone): () => PhoneCall | undefined {
  let incoming: PhoneCall | undefined;
  callee.onCall = (call) => {
    incoming = call;
    call.ring();
  };
  return () => incoming;
}

/** The other phone answers, both talk, and it hangs up. */
async function talk(stage: Stage, call: PhoneCall, other: PhoneCall, since: number): Promise<CallEvent> {
  other.accept();
  const bridged = await stage.platform.until(
    call.platformCallId,
    (e) => e.type === 'BridgeStarted' && e.at >= since,
    REACTION_MS,
  );
  await call.until('answered');
  await heardByOther(stage, call, other);
  other.hangup();
  return bridged;
}

/** A key of the caller reaches the other phone. */
async function heardByOther(stage: Stage, call: PhoneCall, other: PhoneCall): Promise<void> {
  const before = other.peer.heard.digits.length;
  for (let i = 0; i < 20 && other.peer.heard.digits.length === before; i++) {
    await call.peer.press('9');
    await new Promise((done) => setTimeout(done, 150));
  }
  if (other.peer.heard.digits.length === before)
    throw new Error(`the other phone heard no key\n${(await stage.platform.story(call.platformCallId)).length} events`);
}

const BACK = '<Say>Back again.</Say>';
const END = 'document: document-end';

export const SITUATIONS: Situation[] = [
  {
    name: 'ringing',
    verbs: ['Dial[0] callee-hung-up', 'Say[0] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      const { platform, phone, callee } = stage;
      const incoming = ringing(callee);
      const staged = await platform.control.stage(`<Response>${dialled(callee)}${BACK}</Response>`, false);
      const call = await phone.call(`sip:${staged.user}@${platform.sip}`);
      await call.until('ringing');
      await platform.until(call.platformCallId, (e) => e.type === 'LegRang' && e.leg === 0);
      const other = incoming()!;
      return { call, other, goOn: (since) => talk(stage, call, other, since) };
    },
  },
  {
    name: 'prompt playing',
    verbs: ['Say[0] finished', 'Say[1] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      const call = await dial(
        stage,
        `<Response><Say>This is a sentence that goes on for some time while something dies.</Say>${BACK}</Response>`,
      );
      await stage.platform.until(call.platformCallId, (e) => e.type === 'LegConfirmed');
      return { call, goOn: (since, losesKeys) => pressUntilHeard(stage, call, '5', since, losesKeys) };
    },
  },
  {
    name: 'digits half entered',
    verbs: ['Gather[0] entered 1234', 'Gather[0].Case[0].Say[0] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      const call = await dial(
        stage,
        '<Response><Gather numDigits="4" timeout="15000"><Say>Enter four digits.</Say><Switch><Case dtmf="1234"><Say>Right.</Say></Case><Default><Say>Wrong.</Say></Default></Switch></Gather></Response>',
      );
      await stage.platform.until(call.platformCallId, (e) => e.type === 'PlayRequested');
      await pressUntilHeard(stage, call, '1', 0, false);
      await pressUntilHeard(stage, call, '2', 0, false);
      return {
        call,
        async goOn(since, losesKeys) {
          const third = await pressUntilHeard(stage, call, '3', since, losesKeys);
          await pressUntilHeard(stage, call, '4', since, losesKeys);
          return third;
        },
      };
    },
  },
  {
    name: 'dialling',
    verbs: ['Say[0] finished', 'Dial[0] callee-hung-up', 'Say[1] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      const incoming = ringing(stage.callee);
      const call = await dial(stage, `<Response><Say>Hello.</Say>${dialled(stage.callee)}${BACK}</Response>`);
      await stage.platform.until(call.platformCallId, (e) => e.type === 'LegRang' && e.leg === 1);
      const other = incoming()!;
      return { call, other, goOn: (since) => talk(stage, call, other, since) };
    },
  },
  {
    name: 'bridged',
    verbs: ['Dial[0] callee-hung-up', 'Say[0] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      let incoming: PhoneCall | undefined;
      stage.callee.onCall = (call) => {
        incoming = call;
        call.accept();
      };
      const call = await dial(stage, `<Response>${dialled(stage.callee)}${BACK}</Response>`);
      await stage.platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
      const other = incoming!;
      return {
        call,
        other,
        async goOn(since, losesKeys) {
          const reaction = await pressUntilHeard(stage, call, '5', since, losesKeys);
          await heardByOther(stage, call, other);
          other.hangup();
          return reaction;
        },
      };
    },
  },
  {
    name: 'recording',
    verbs: ['Record[0] key', 'Say[0] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      const call = await dial(stage, `<Response><Record tag="r"/>${BACK}</Response>`);
      await stage.platform.until(call.platformCallId, (e) => e.type === 'RecordRequested');
      // Heard before the kill, and to be found in the file after it.
      await call.peer.say(tone(1_500));
      return { call, goOn: (since, losesKeys) => pressUntilHeard(stage, call, '#', since, losesKeys) };
    },
  },
  {
    name: 'held by re-INVITE',
    isSilent: true,
    verbs: ['Pause[0] finished', 'Say[0] finished'],
    outcome: END,
    callbacks: 0,
    async begin(stage) {
      const call = await dial(stage, `<Response><Pause length="5000"/>${BACK}</Response>`);
      await stage.platform.until(call.platformCallId, (e) => e.type === 'VerbStarted');
      await call.reinvite('sendonly');
      await stage.platform.until(call.platformCallId, (e) => e.type === 'OfferAnswered');
      return {
        call,
        async goOn(since) {
          await resume(call);
          return stage.platform.until(
            call.platformCallId,
            (e) => (e.type === 'OfferAnswered' || e.type === 'OfferAccepted') && e.at >= since,
            REACTION_MS,
          );
        },
      };
    },
  },
  {
    name: 'hanging up',
    verbs: ['Say[0] finished', 'Hangup[0] hangup'],
    outcome: 'document: hangup',
    callbacks: 0,
    async begin(stage) {
      const call = await dial(stage, '<Response><Say>Bye.</Say><Hangup/></Response>');
      // The BYE is lost on its way until something was killed.
      stage.phone.deafToBye = true;
      await eventually(() => call.messages.some((m) => m.kind === 'request' && m.method === 'BYE'), 'no BYE came');
      return {
        call,
        async goOn(since) {
          stage.phone.deafToBye = false;
          return stage.platform.until(call.platformCallId, (e) => e.type === 'CallEnded' && e.at >= since, REACTION_MS);
        },
      };
    },
  },
  {
    name: 'document in flight',
    verbs: ['Say[0] finished', 'Callback[0] fetched', 'Callback[0].Say[0] finished', 'Say[1] finished'],
    outcome: END,
    callbacks: 1,
    async begin(stage) {
      const { platform, customer } = stage;
      const path = `/held-${Date.now()}`;
      let open = false;
      const waiting: Array<() => void> = [];
      customer.on(path, async (response) => {
        if (!open) await new Promise<void>((answer) => waiting.push(answer));
        response.end('<Response><Say>Fetched.</Say></Response>');
      });
      const call = await dial(
        stage,
        `<Response><Say>One moment.</Say><Callback url="${customer.url}${path}"/>${BACK}</Response>`,
      );
      await eventually(() => customer.count(path).requests > 0, 'the document was never asked for');
      return {
        call,
        async goOn(since) {
          open = true;
          for (const answer of waiting) answer();
          const isIt = (e: CallEvent) => e.type === 'VerbEnded' && e.name === 'Callback' && e.at >= since;
          const reaction = await platform.until(call.platformCallId, isIt, REACTION_MS);
          const { keys } = customer.count(path);
          if (keys !== 1) throw new Error(`the callback came under ${keys} keys`);
          return reaction;
        },
      };
    },
  },
];

/** A re-INVITE that is refused for now is sent again a moment later (RFC 3261 14.1, Retry-After). */
async function resume(call: PhoneCall): Promise<void> {
  for (let tries = 0; ; tries++) {
    const response = await call.reinvite('sendrecv').catch((error: Error) => error);
    if (!(response instanceof Error) && response.status < 300) return;
    if (tries === 10)
      throw new Error(`the hold can't be ended: ${response instanceof Error ? response.message : response.status}`);
    await new Promise((done) => setTimeout(done, 300));
  }
}

/** A tone that can be heard. */
export function tone(ms: number): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) => 8_000 * Math.sin((2 * Math.PI * 440 * i) / 8_000));
}
