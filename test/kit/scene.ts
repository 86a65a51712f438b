/**
 * What most scenarios begin with: a platform of their own, a customer's server, a phone that calls and one that is
 * called. A document is staged and dialled; what becomes of the call is read from its story.
 */

import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import type { CallEvent } from '@opentact/proto';
import { type Customer, openCustomer } from './customer.ts';
import { type Platform, startPlatform } from './platform.ts';

export type Scene = {
  platform: Platform;
  customer: Customer;
  phone: Phone;
  callee: Phone;
  /** `sip:` address under which the document is run, once. */
  staged(xml: string, autoAnswer?: boolean): Promise<string>;
  /** Calls, and waits for the answer, until the story has it: the phone hears of it first. */
  dial(xml: string, by?: Phone): Promise<PhoneCall>;
  /** Calls, and waits until the story has begun; nobody need answer. */
  ring(xml: string, by?: Phone): Promise<PhoneCall>;
  close(): Promise<void>;
};

export async function openScene(environment: Record<string, string> = {}): Promise<Scene> {
  const [platform, customer, phone, callee] = await Promise.all([
    startPlatform(environment),
    openCustomer(),
    openPhone({ user: '12125550199' }),
    openPhone({ user: 'callee' }),
  ]);
  const staged = async (xml: string, autoAnswer = true) =>
    `sip:${(await platform.control.stage(xml, autoAnswer)).user}@${platform.sip}`;
  return {
    platform,
    customer,
    phone,
    callee,
    staged,
    async dial(xml, by = phone) {
      const call = await (await by.call(await staged(xml))).until('answered');
      await platform.until(call.platformCallId, (e) => e.type === 'LegAnswered');
      return call;
    },
    async ring(xml, by = phone) {
      const call = await by.call(await staged(xml, false));
      await eventually(() => call.platformCallId !== '', 'no response named the call');
      await platform.until(call.platformCallId, (e) => e.type === 'CallArrived');
      return call;
    },
    async close() {
      await Promise.all([phone.close(), callee.close(), customer.close()]);
      await platform.stop();
    },
  };
}

/** Waits until something holds that no event tells. @throws Error after `ms` */
export async function eventually(holds: () => boolean, otherwise: string, ms = 20_000): Promise<void> {
  for (const end = Date.now() + ms; !holds(); await new Promise((r) => setTimeout(r, 10)))
    if (Date.now() > end) throw new Error(`${otherwise}, after ${ms} ms`);
}

/** The verbs of a story as they ended: `Gather[0] entered 1`. The prompts in a Gather, which never began by themselves, are
 * left out. */
export const verbs = (story: CallEvent[]): string[] => {
  const begun = new Set(story.flatMap((e) => (e.type === 'VerbStarted' ? [e.path] : [])));
  return story.flatMap((e) => (e.type === 'VerbEnded' && begun.has(e.path) ? [`${e.path} ${e.reason}`] : []));
};

/** Who ended the call, and why: `caller: bye`. */
export const outcome = (story: CallEvent[]): string => {
  const end = story.find((e) => e.type === 'CallEnded');
  return end ? `${end.owner}: ${end.reason}` : 'it did not end';
};

/** The events of one type, typed. */
export const all = <T extends CallEvent['type']>(story: CallEvent[], type: T): Array<Extract<CallEvent, { type: T }>> =>
  story.filter((e): e is Extract<CallEvent, { type: T }> => e.type === type);
