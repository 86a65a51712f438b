/**
 * What happens before a call is answered, and what the Directory knows, with real calls: early media by 183, a call that
 * waits for its document, targets rung at once, a group, the caller's place, a Curl.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPhone, type PhoneCall } from '@opentact/phone';
import pg from 'pg';
import type { SipResponse } from '../../services/sip-edge/src/stack/message/message.ts';
import { isSigned } from '../kit/customer.ts';
import { environmentOf } from '../kit/environment.ts';
import { type Hearing, openHearing } from '../kit/hearing.ts';
import { all, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';

const EARLY = 'You are hearing this before anybody answered.';
const LATER = 'And this you are hearing after the answer.';
const PARKED = '18005550177';

type Demo = { accountId: string; groupId: string; signingKey: string };

let scene: Scene;
let hearing: Hearing;
let demo: Demo;

/** An app without a document, and a number that leads to it, as provisioning would make them. */
async function provision(): Promise<void> {
  const connectionString = environmentOf(scene.platform, 'api', 'OPENTACT_API_DATABASE_URL');
  const client = new pg.Client({ connectionString });
  await client.connect();
  const app = randomUUID();
  await client.query(`insert into app (id, account_id, name, signing_key) values ($1, $2, 'Parked', 'key')`, [
    app,
    demo.accountId,
  ]);
  await client.query('insert into number values ($1, $2, $3)', [PARKED, demo.accountId, app]);
  await client.end();
}

const responses = (call: PhoneCall, status: number) =>
  call.messages.filter(
    (m): m is SipResponse => m.kind === 'response' && m.status === status && m.cseq.method === 'INVITE',
  );

describe('before the answer, and where the caller is', { timeout: 60_000, concurrency: 4 }, () => {
  before(
    async () => {
      hearing = openHearing();
      scene = await openScene();
      demo = JSON.parse(readFileSync(join(scene.platform.home, 'demo.json'), 'utf8'));
      await Promise.all([scene.platform.whole(), provision()]);
    },
    { timeout: 90_000 },
  );
  after(() => Promise.all([hearing?.close(), scene?.close()]));

  it('a Say before the answer is heard by 183; Answer then sends the same description by 200', async () => {
    const document = `<Response><Say>${EARLY}</Say><Answer/><Say>${LATER}</Say></Response>`;
    const call = await scene.ring(document);
    await call.until('answered', 15_000);
    await call.until('ended', 15_000);
    const [progress, ok] = [responses(call, 183)[0], responses(call, 200)[0]];
    assert.ok(progress && ok);
    assert.match(progress.body.toString(), /^m=audio [1-9]/m);
    assert.equal(ok.body.toString(), progress.body.toString());
    assert.equal(ok.headers.get('to'), progress.headers.get('to'));
    assert.equal(ok.headers.get('contact'), progress.headers.get('contact'));
    const [early, later] = await hearing.inOrder(call.peer.heard.pcm, [EARLY, LATER]);
    const answered = call.answeredAt - call.peer.heard.firstPacketMs;
    assert.ok(early! < answered && later! > answered - 500, `${early} ms, ${later} ms; answered at ${answered} ms`);
    const story = await scene.platform.ended(call.platformCallId);
    const order = story.filter((e) => e.type === 'VerbEnded' || e.type === 'LegRang' || e.type === 'LegAnswered');
    assert.deepEqual(
      order.map((e) => (e.type === 'VerbEnded' ? e.path : e.type)),
      ['LegRang', 'Say[0]', 'LegAnswered', 'Answer[0]', 'Say[1]'],
    );
    assert.equal(outcome(story), 'document: document-end');
  });

  it('a caller who hears us early may give up: 487, and the play ends', async () => {
    const call = await scene.ring(`<Response><Say loop="0">${EARLY}</Say></Response>`);
    await scene.platform.until(call.platformCallId, (e) => e.type === 'LegRang' && e.status === 183);
    call.hangup();
    await call.until('ended');
    assert.equal(call.ended?.status, 487);
    assert.equal(outcome(await scene.platform.ended(call.platformCallId)), 'caller: cancelled');
  });

  it('a call to an app without a document rings, gets one by order, and runs it', async () => {
    const call = await scene.phone.call(`sip:${PARKED}@${scene.platform.sip}`);
    await call.until('ringing');
    assert.equal(responses(call, 180).length, 1);
    const id = call.platformCallId;
    await scene.platform.until(id, (e) => e.type === 'TimerSet' && e.purpose === 'parked');
    await scene.platform.control.runDocument(id, `<Response><Answer/><Say>${LATER}</Say></Response>`, 'parked');
    await call.until('answered');
    await call.until('ended', 15_000);
    await hearing.inOrder(call.peer.heard.pcm, [LATER]);
    const story = await scene.platform.ended(id);
    assert.deepEqual(verbs(story), ['Answer[0] answered', 'Say[0] finished']);
    assert.equal(all(story, 'TimerCancelled').length >= 1, true);
    assert.equal(outcome(story), 'document: document-end');
  });

  it('of two that are rung at once one is busy and the other answers', async (t) => {
    const busy = await openPhone({ user: 'busy' });
    t.after(() => busy.close());
    busy.onCall = (call) => call.hangup(486);
    const targets = [busy, scene.callee].map(({ port }) => `<Sip>bob@127.0.0.1:${port}</Sip>`).join('');
    const call = await scene.dial(`<Response><Dial timeout="8000">${targets}</Dial></Response>`);
    const id = call.platformCallId;
    await scene.platform.until(id, (e) => e.type === 'BridgeStarted');
    await scene.platform.until(id, (e) => e.type === 'DialFailed');
    call.hangup();
    const story = await scene.platform.ended(id);
    assert.deepEqual(
      all(story, 'DialFailed').map(({ status, reason }) => `${status} ${reason}`),
      ['486 busy'],
    );
    assert.equal(all(story, 'LegAnswered').filter(({ leg }) => leg > 0).length, 1);
    assert.equal(outcome(story), 'caller: bye');
  });

  it('a group rings its members, here the demo callee; a group that isn’t there fails the Dial', async () => {
    const call = await scene.dial(`<Response><Dial><Group>${demo.groupId}</Group></Dial></Response>`);
    const id = call.platformCallId;
    await scene.platform.until(id, (e) => e.type === 'BridgeStarted');
    call.hangup();
    const story = await scene.platform.ended(id);
    const target = `sip:1000@127.0.0.1:${scene.platform.demoPort}`;
    assert.deepEqual(all(story, 'GroupFound')[0]!.targets, [target]);
    assert.equal(all(story, 'DialRequested')[0]!.target, target);
    const nobody = await scene.dial(`<Response><Dial><Group>${randomUUID()}</Group></Dial></Response>`);
    const failed = await scene.platform.ended(nobody.platformCallId);
    assert.equal(all(failed, 'LookUpFailed')[0]!.reason, 'unknown');
    assert.equal(all(failed, 'VerbEnded')[0]!.success, false);
  });

  it('a condition on the caller’s place holds by county, by state, or not at all', async (t) => {
    const document =
      '<Response><Answer/><Geo states="NY,NJ" county="New York"><Pause length="20"/></Geo><Geo states="CA"><Pause length="20"/></Geo></Response>';
    const places: Array<[string, string, string[]]> = [
      ['12125550143', 'NY NEW YORK', ['Geo[0] matched', 'Geo[0].Pause[0] finished', 'Geo[1] not-matched']],
      ['12127360000', 'NY ', ['Geo[0] not-matched', 'Geo[1] not-matched']],
      ['4155550143', 'CA SAN FRANCISCO', ['Geo[0] not-matched', 'Geo[1] matched', 'Geo[1].Pause[0] finished']],
      ['442071234567', ' ', ['Geo[0] not-matched', 'Geo[1] not-matched']],
    ];
    for (const [user, place, expected] of places) {
      const caller = await openPhone({ user });
      t.after(() => caller.close());
      const call = await scene.dial(document, caller);
      const story = await scene.platform.ended(call.platformCallId);
      assert.deepEqual(
        all(story, 'LocationFound').map(({ state, county }) => `${state} ${county}`),
        [place],
        user,
      );
      assert.deepEqual(verbs(story).slice(1), expected, user);
    }
  });

  it('a Curl asks by its own method and headers, and its answer decides what runs', async () => {
    scene.customer.on('/orders', (response) => void response.writeHead(200).end('{"open": true, "items": [1]}'));
    const curl = `<Curl url="${scene.customer.url}/orders" method="PUT" tag="order"><Header name="X-Shop">7</Header>a,b</Curl>`;
    const when = (value: string) => `<Call field="meta.order.open" value="${value}"><Pause length="20"/></Call>`;
    const call = await scene.dial(`<Response>${curl}${when('true')}${when('false')}</Response>`);
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), [
      'Curl[0] fetched',
      'Call[0] matched',
      'Call[0].Pause[0] finished',
      'Call[1] not-matched',
    ]);
    const [asked] = scene.customer.asked.filter(({ path }) => path === '/orders');
    assert.deepEqual([asked!.method, asked!.body, asked!.headers['x-shop']], ['PUT', 'a,b', '7']);
    assert.ok(isSigned(asked!, scene.customer.url, demo.signingKey), 'signed as README.md says');
  });

  it('the voices are listed at the platform’s HTTP port', async () => {
    const listed = await fetch(`http://127.0.0.1:${scene.platform.httpPort}/rest/dict/gtts`);
    const { success, payload } = (await listed.json()) as { success: boolean; payload: Array<{ code: string }> };
    assert.equal(success, true);
    assert.ok(payload.some(({ code }) => code === 'slt'));
  });
});
