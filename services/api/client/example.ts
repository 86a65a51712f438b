// The value path, as README.md shows it: a test runs this file and compares the two.
import { createClient } from '@opentact/client';

const anybody = createClient({ url: process.env.OPENTACT_URL ?? 'http://127.0.0.1:8080' });
const ann = { email: `ann.${Date.now()}@example.com`, password: 'correct horse battery' };
await anybody.createUser({ body: ann });
const api = anybody.as({ token: (await anybody.as({ basic: ann }).auth()).token });
const app = await api.createSIPControlApp({ body: { name: 'Mailbox', auto_answer: true } });
await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: '<Response><Record timeout="2000"/></Response>' });
const { tn } = (await api.search({ body: { pattern: '305*' } })).data[0]!;
await api.createOrder({ body: { items: [{ tn }] } });
const lease = await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
// A call to that number: from any SIP phone at sip:NUMBER@127.0.0.1:5060, or placed by the API, which says a word.
const made = { to: tn, tn_lease: lease.uuid, xml: '<Response><Say>Hello, mailbox.</Say></Response>' };
await api.createCall({ body: made, 'idempotency-key': 'first' });
let recordings = (await api.listRecordings()).data;
for (; !recordings[0]?.duration; recordings = (await api.listRecordings()).data)
  await new Promise((r) => setTimeout(r, 500));
console.log((await api.searchCalls({ body: { tn } })).data);
console.log((await api.searchCallFlowLogs({ uuid: app.uuid })).data);
for (const { uuid } of recordings) console.log(uuid, await api.getRecordingFile({ uuid }));
