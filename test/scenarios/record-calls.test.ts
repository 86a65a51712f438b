/**
 * Calls that an outbound voice profile wants recorded: one that is ordered, whose media node is killed meanwhile, and a number
 * that a document dials. What both sides said is in the recording, and the account finds it as any other; nobody else does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '@opentact/client';
import { embeddedPostgres } from '@opentact/event-log';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import type { CallEvent } from '@opentact/proto';
import { type Database, openDatabase } from '../../services/api/src/database/database.ts';
import { checkedFetch } from '../../services/api/src/testing/contract.ts';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { type Hearing, openHearing } from '../kit/hearing.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { all } from '../kit/scene.ts';

const FAR = '13055559999';
const HEARD = 'This is what the callee is told.';
const BEFORE = 'This is what I say before anything happens.';
const AFTER = 'And this is what I say when it is over.';
const HEADER = 44;

let platform: Platform;
let hearing: Hearing;
let phone: Phone;
let carrier: Phone;
let db: Database;
let nobody: Client;
let customers = 0;

type Customer = { api: Client; tn: number; lease: string; profile: string };

/** Somebody with a trunk of their own, a profile, and a number whose app runs a document and calls out by that profile. */
async function customer(recordCalls: 0 | 1 | 2, xml = '<Response/>'): Promise<Customer> {
  const name = `recorder-${customers++}`;
  const basic = { email: `${name}@example.test`, password: 'correct horse battery' };
  const { account } = await nobody.createUser({ body: basic });
  const { token = '' } = await nobody.as({ basic }).auth();
  const api = nobody.as({ token });
  const profile = await api.createOutboundVoiceProfile({ body: { name, record_calls: recordCalls } });
  const app = await api.createSIPControlApp({
    body: { name, auto_answer: true, outbound_voice_profile: profile.uuid },
  });
  await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: xml });
  const tn = 12125550130 + customers;
  await api.createOrder({ body: { items: [{ tn }] } });
  const { uuid: lease } = await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
  const at = { host: '127.0.0.1', port: carrier.port, transport: 'udp', user: '', password: '' };
  await db
    .insertInto('trunk')
    .values({ id: name, account_id: account.uuid, ...at })
    .execute();
  return { api, tn, lease, profile: profile.uuid };
}

/** The one recording of an account, once it can be read; its samples. */
async function onlyRecording(api: Client): Promise<{ id: string; samples: Int16Array }> {
  const finished = async () => (await api.listRecordings({})).data.filter(({ duration }) => duration !== null);
  for (const end = Date.now() + 20_000; (await finished()).length === 0; await sleep(50))
    assert.ok(Date.now() < end, 'no recording is listed as finished after 20 s');
  const [{ uuid, url } = { uuid: '', url: '' }, ...more] = (await api.listRecordings({})).data;
  assert.deepEqual(more, []);
  assert.equal(url, `/rest/recording/${uuid}/file`);
  const bytes = readFileSync(join(platform.home, 'recordings', `${uuid}.wav`));
  assert.equal(bytes.readUInt32LE(40), bytes.length - HEADER);
  return {
    id: uuid,
    samples: new Int16Array(bytes.buffer.slice(bytes.byteOffset + HEADER, bytes.byteOffset + bytes.length)),
  };
}

/** Rings the number of a customer, whose document dials the carrier; both are heard once they are connected. */
async function dialled(to: Customer): Promise<CallEvent[]> {
  const call = await (await phone.call(`sip:${to.tn}@${platform.sip}`)).until('answered');
  await platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
  const far = carried.find((one) => one.invite?.headers.get('from')?.includes(String(to.tn)));
  assert.ok(far, 'the carrier was not rung by this customer');
  await call.peer.say(await hearing.words(BEFORE));
  await far.peer.say(await hearing.words(AFTER));
  await sleep(300);
  call.hangup();
  return platform.ended(call.platformCallId);
}
const carried: PhoneCall[] = [];

describe('record_calls of an outbound voice profile', { timeout: 150_000 }, () => {
  before(
    async () => {
      hearing = openHearing();
      [platform, phone, carrier] = await Promise.all([
        startPlatform(),
        openPhone({ user: '12125550199' }),
        openPhone({ user: 'carrier' }),
      ]);
      carrier.onCall = (call) => {
        carried.push(call);
        call.accept();
      };
      const url = await fromElsewhere(platform.httpPort);
      nobody = createClient({ url, fetch: await checkedFetch(url) });
      const server = await embeddedPostgres({ home: platform.home, databases: [] });
      db = openDatabase(server.url('opentact_api'));
      await platform.whole();
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await db?.destroy();
    await Promise.all([hearing?.close(), phone?.close(), carrier?.close()]);
    await platform?.stop();
  });

  it('1: an ordered call is recorded whole, both sides, though its media node is killed, and is its account’s alone', async () => {
    const { api, lease, profile } = await customer(1);
    const other = await customer(0);
    const xml = `<Response><Say>${HEARD}</Say><Pause length="60000"/></Response>`;
    const { uuid } = await api.createCall({ body: { to: FAR, tn_lease: lease, outbound_voice_profile: profile, xml } });
    await platform.until(uuid, (e) => e.type === 'VerbEnded' && e.name === 'Say');
    const callee = carried.at(-1)!;
    await callee.peer.say(await hearing.words(BEFORE));
    // What is cut off in mid-air is lost: up to 0.7 s.
    await sleep(900);
    platform.kill(await platform.serving(uuid, 'media'), 'SIGKILL');
    await platform.until(uuid, (e) => e.type === 'OfferAccepted', 20_000);
    await sleep(300);
    await callee.peer.say(await hearing.words(AFTER));
    await sleep(300);
    callee.hangup();
    const story = await platform.ended(uuid, 30_000);
    const [asked, ...more] = all(story, 'RecordRequested');
    assert.deepEqual([asked?.byProfile, more], [true, []]);
    const { id, samples } = await onlyRecording(api);
    assert.equal(id, asked!.recordingId);
    await hearing.inOrder(samples, [HEARD, BEFORE, AFTER]);
    const { call, duration } = await api.getRecording({ uuid: id });
    assert.deepEqual([call, duration], [uuid, Math.round(samples.length / 8) / 1000]);
    assert.deepEqual(
      (await api.getCall({ uuid })).records.map((record) => record.uuid),
      [id],
    );
    await assert.rejects(other.api.getRecording({ uuid: id }), /404/);
    assert.deepEqual((await other.api.listRecordings({})).data, []);
    await platform.whole();
  });

  it('0: nothing is recorded', async () => {
    const { api, lease, profile } = await customer(0);
    const xml = `<Response><Say>${HEARD}</Say></Response>`;
    const { uuid } = await api.createCall({ body: { to: FAR, tn_lease: lease, outbound_voice_profile: profile, xml } });
    const story = await platform.ended(uuid);
    assert.deepEqual(all(story, 'RecordRequested'), []);
    assert.equal(all(story, 'VerbEnded')[0]?.success, true);
    assert.deepEqual((await api.listRecordings({})).data, []);
  });

  it('a number that a document dials is recorded by 1, and not by 2, which records what is ordered', async () => {
    const document = `<Response><Dial timeout="10"><Number>${FAR}</Number></Dial></Response>`;
    const [one, two] = [await customer(1, document), await customer(2, document)];
    await dialled(one);
    const { samples } = await onlyRecording(one.api);
    await hearing.inOrder(samples, [BEFORE, AFTER]);
    const story = await dialled(two);
    assert.deepEqual(
      all(story, 'BridgeRequested').map(({ recordingId }) => recordingId),
      [''],
    );
    assert.deepEqual((await two.api.listRecordings({})).data, []);
    const order = { to: FAR, tn_lease: two.lease, xml: `<Response><Say>${HEARD}</Say></Response>` };
    await platform.ended((await two.api.createCall({ body: order })).uuid);
    await hearing.inOrder((await onlyRecording(two.api)).samples, [HEARD]);
  });
});
