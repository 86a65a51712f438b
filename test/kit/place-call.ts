/** Places calls as a patient caller does: where nobody took the call in time (503), it is tried again; congestion is the phone's own affair. */
import type { Phone, PhoneCall } from './phone.ts';
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
