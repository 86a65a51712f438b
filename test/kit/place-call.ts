/**
 * Places calls as a patient caller does: what nobody took in time (503, Q.850 41) is called anew, at another address, since
 * a document is run once. Congestion (42) is the phone's own affair: nothing was kept, so it calls the same address again.
 */
import type { Phone, PhoneCall } from '@opentact/phone';
import type { Platform } from './platform.ts';

const TRIES_MAX = 10;
const RETRY_AFTER_MS = 1_000;

/** Calls what `address` gives, anew at each try, until it is answered. @throws Error for any refusal but 503 */
export async function answered(phone: Phone, address: () => string | Promise<string>): Promise<PhoneCall> {
  for (let tries = 1; ; tries++) {
    const call = await phone.call(await address());
    try {
      return await call.until('answered');
    } catch (error) {
      if (call.ended?.status !== 503 || tries === TRIES_MAX) throw error;
      await new Promise((done) => setTimeout(done, RETRY_AFTER_MS));
    }
  }
}

/** Stages a document and calls it. */
export const callDocument = (platform: Platform, phone: Phone, xml: string): Promise<PhoneCall> =>
  answered(phone, async () => `sip:${(await platform.control.stage(xml)).user}@${platform.sip}`);
