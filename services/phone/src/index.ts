/** The built-in phone for whoever calls by it: the standalone's demo, `npm run call`, tests. */
export { openPhone, Phone, type PhoneOptions } from './phone.ts';
export { type Ended, PhoneCall } from './phone-call.ts';
