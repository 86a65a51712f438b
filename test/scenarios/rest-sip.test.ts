/** What is provisioned by REST and decides over calls: whom a number lets call, where it leads. Judged by real calls. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { openCustomer } from '../kit/customer.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { freePorts } from '../kit/ports.ts';
import { type Customer, newCustomer } from '../kit/rest.ts';
import { all, outcome, verbs } from '../kit/scene.ts';

const FILES = fileURLToPath(new URL('./sipp/', import.meta.url));
const missing = spawnSync('sipp', ['-v']).error ? 'sipp (Debian: sip-tester) is not installed' : false;
/** Until every edge knows what changed. */
const KNOWN_MS = 2_500;
/** Where it is asked what a change does, and not how soon. */
const EFFECT_MS = 20_000;

let platform: Platform;
let ann: Customer;
const phones: Phone[] = [];
const servers: Array<{ close(): Promise<void> }> = [];
async function phoneOf(user: string): Promise<Phone> {
  const phone = await openPhone({ user });
  phones.push(phone);
  return phone;
}
/** Calls, and waits until it is over unanswered. */
async function refused(by: Phone, uri: string, lines?: string[]): Promise<PhoneCall> {
  const call = await by.call(uri, lines ? { lines } : {});
  await call.until('ended').catch(() => {});
  return call;
}
const reasonOf = (call: PhoneCall) =>
  call.messages.map((m) => (m.kind === 'response' ? m.headers.get('reason') : undefined)).find(Boolean);
/** Asks until it holds; what was changed by REST is known within KNOWN_MS. */
async function soon(holds: () => Promise<boolean>, otherwise: string, ms = KNOWN_MS): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await new Promise((r) => setTimeout(r, 100)))
    if (Date.now() > end) throw new Error(`${otherwise}, ${ms} ms after it was changed`);
}

describe('SIP objects of the REST API', { timeout: 120_000 }, () => {
  before(async () => {
    platform = await startPlatform();
    ann = await newCustomer(platform, 'ann-sip');
  });
  after(async () => {
    await Promise.all([...phones, ...servers].map((each) => each.close()));
    await platform?.stop();
  });

  describe('a number with a TN profile', () => {
    const tn = 14045550125;
    let black: string;
    let white: string;
    before(async () => {
      await ann.order(tn);
      const app = await ann.app('Hello', '<Response><Say>Hello.</Say></Response>', { auto_answer: true });
      const { uuid } = await ann.ask<{ uuid: string }>('POST', '/profile/tn', { name: 'Screened' });
      [black, white] = [`/profile/tn/${uuid}/blacklist`, `/profile/tn/${uuid}/whitelist`];
      await ann.ask('PATCH', `/lease/tn/${tn}`, { sip_control_app: app, tn_profile: uuid });
    });
    /** Refused as the reference says: before anything rings, and as no call that costs. */
    async function isRefused(callId: string, why: RegExp) {
      const story = await platform.ended(callId);
      assert.match(all(story, 'CallArrived')[0]!.refusal ?? '', why);
      for (const type of [
        'RingRequested',
        'AnswerRequested',
        'LegAnswered',
        'SessionRequested',
        'DocumentAccepted',
      ] as const)
        assert.equal(all(story, type).length, 0, `${type} of a call that is refused`);
      assert.match(outcome(story), /^us: /);
    }
    const refusals = async (by: Phone, why: RegExp, lines?: string[]) => {
      const call = await refused(by, `sip:${tn}@${platform.sip}`, lines);
      assert.equal(call.ended?.status, 403);
      assert.match(reasonOf(call) ?? '', /Q\.850;cause=21/);
      assert.ok(!call.messages.some((m) => m.kind === 'response' && m.status === 180));
      await isRefused(call.platformCallId, why);
      return call.platformCallId;
    };

    it('refuses a blacklisted caller, and within two seconds of a change admits and refuses others', async () => {
      const charges = async (ref_uuid: string) =>
        (await ann.ask<{ total: number }>('POST', '/transaction/search', { ref_uuid })).total;
      const nuisance = await phoneOf('+16175550144');
      const first = await (await nuisance.call(`sip:${tn}@${platform.sip}`)).until('answered');
      assert.deepEqual(verbs(await platform.ended(first.platformCallId)), ['Say[0] finished']);
      await ann.ask('POST', black, { add: ['161755501%%'] });
      await soon(async () => {
        const call = await nuisance.call(`sip:${tn}@${platform.sip}`);
        await call.until('answered').catch(() => {});
        call.hangup();
        return call.ended?.status === 403;
      }, 'a blacklisted caller is still answered');
      const refusedId = await refusals(nuisance, /blacklist/);
      const friend = await phoneOf('16175550244');
      const admitted = await (await friend.call(`sip:${tn}@${platform.sip}`)).until('answered');
      await platform.ended(admitted.platformCallId);
      // A stranger's call costs its callee nothing, whether it was answered and spoken to or refused.
      assert.deepEqual(
        await Promise.all([first.platformCallId, admitted.platformCallId, refusedId].map(charges)),
        [0, 0, 0],
      );
    });

    it('with a whitelist admits only whom it names, and nobody who withholds the number', async () => {
      await ann.ask('POST', white, { add: ['1212*'] });
      const [friend, stranger] = [await phoneOf('12125550133'), await phoneOf('13125550133')];
      await soon(async () => {
        const call = await refused(stranger, `sip:${tn}@${platform.sip}`);
        return call.ended?.status === 403;
      }, 'a caller who is not on the whitelist is still answered');
      await refusals(stranger, /not on the whitelist/);
      await (await friend.call(`sip:${tn}@${platform.sip}`)).until('answered');
      await refusals(friend, /withholds/, ['Privacy: id']);
      await refusals(await phoneOf('anonymous'), /withholds/);
    });

    it('refuses a stranger’s telephone the same way', { skip: missing }, async () => {
      for (const [caller, privacy, why] of [
        ['16175550150', 'none', /whitelist/],
        ['12125550133', 'id', /withholds/],
        ['12125550199', 'none', /blacklist/],
      ] as const) {
        if (why.source === 'blacklist') {
          await ann.ask('POST', black, { add: [caller] });
          await new Promise((r) => setTimeout(r, KNOWN_MS));
        }
        const said = await sipp('refused', tn, { caller, privacy });
        await isRefused(/call ([0-9a-f-]{36}) Q\.850;cause=21/.exec(said)![1]!, why);
      }
    });
  });

  describe('a number on a connection', () => {
    const tn = 14045550126;
    let pbx: Phone;
    let connection: string;
    const uri = () => `sip:${tn}@${platform.sip}`;
    before(async () => {
      pbx = await phoneOf('pbx');
      await ann.order(tn);
      const made = { name: 'PBX', ip: '127.0.0.1', port: pbx.port, product: 1 };
      connection = (await ann.ask<{ uuid: string }>('POST', '/sip/connection', made)).uuid;
      const { uuid } = await ann.ask<{ uuid: string }>('GET', `/lease/tn/${tn}`);
      await ann.ask('POST', `/sip/connection/${connection}/tnlease`, { add: [uuid] });
    });

    it('is sent on to the customer’s own equipment, which answers and hangs up', async () => {
      let rung: PhoneCall | undefined;
      pbx.onCall = (call) => {
        rung = call;
        call.ring();
        call.accept();
      };
      const call = await (await (await phoneOf('12125550133')).call(uri())).until('answered');
      assert.equal(rung?.invite?.uriText, `sip:${tn}@127.0.0.1:${pbx.port}`);
      assert.match(rung?.invite?.headers.get('from') ?? '', /sip:12125550133@/, 'the caller is shown');
      rung!.hangup();
      await call.until('ended');
      const story = await platform.ended(call.platformCallId);
      assert.deepEqual(verbs(story), ['Dial[0] callee-hung-up']);
      const [arrived] = all(story, 'CallArrived');
      assert.deepEqual([arrived!.app?.appId, arrived!.app?.name], [connection, 'PBX']);
    });

    it('is refused where the equipment is busy', async () => {
      pbx.onCall = (call) => call.hangup(486);
      const busy = await refused(await phoneOf('12125550134'), uri());
      assert.equal(busy.ended?.status, 480);
    });

    it('rings nobody while it is switched off, then the equipment that it was moved to, and none when it is removed', async () => {
      const [by, moved] = [await phoneOf('12125550134'), await phoneOf('moved')];
      const rung: string[] = [];
      const answers = (name: string) => (call: PhoneCall) => {
        rung.push(name);
        call.accept();
      };
      [pbx.onCall, moved.onCall] = [answers('pbx'), answers('moved')];
      let last: PhoneCall | undefined;
      const status = async () => {
        const call = await by.call(uri());
        last = call;
        await call.until('answered').catch(() => {});
        call.hangup();
        await call.until('ended').catch(() => {});
        return call.ended?.status;
      };
      await ann.ask('PATCH', `/sip/connection/${connection}`, { is_active: false });
      await soon(async () => (await status()) === 480, 'no 480 from what is switched off', EFFECT_MS);
      rung.length = 0;
      assert.equal(await status(), 480);
      assert.deepEqual(rung, []);
      await assert.rejects(platform.control.getCall(last!.platformCallId), /no call/i, 'a call began all the same');
      await ann.ask('PATCH', `/sip/connection/${connection}`, { is_active: true, port: moved.port });
      await soon(
        async () => (await status()) !== 480 && rung.at(-1) === 'moved',
        'what it was moved to is not rung',
        EFFECT_MS,
      );
      await ann.ask('DELETE', `/sip/connection/${connection}`);
      await soon(async () => (await status()) === 404, 'no 404 from a number that goes nowhere', EFFECT_MS);
    });

    it('is not sent to an address that may not be dialled', async () => {
      const { uuid } = await ann.ask<{ uuid: string }>('POST', '/sip/connection', { name: 'Within', ip: '10.1.2.3' });
      await ann.ask('PATCH', `/lease/tn/${tn}`, { sip_connection: uuid });
      const by = await phoneOf('12125550135');
      let callId = '';
      await soon(async () => {
        const call = await refused(by, uri());
        callId = call.platformCallId;
        return call.ended?.status !== 404;
      }, 'the number still goes nowhere');
      const failed = all(await platform.ended(callId), 'DialFailed');
      assert.deepEqual(
        failed.map((e) => e.reason),
        ['refused-address'],
      );
    });
  });

  it('an app that is switched off refuses its calls with 480, and runs them again', async () => {
    const tn = 14045550127;
    await ann.order(tn);
    const off = { auto_answer: true, is_active: false };
    const app = await ann.app('Hello', '<Response><Say>Hello.</Say></Response>', off);
    await ann.ask('PATCH', `/lease/tn/${tn}`, { sip_control_app: app });
    const by = await phoneOf('12125550136');
    const call = await refused(by, `sip:${tn}@${platform.sip}`);
    assert.equal(call.ended?.status, 480);
    await ann.ask('PATCH', `/sip/app/${app}`, { is_active: true });
    await soon(async () => {
      const again = await by.call(`sip:${tn}@${platform.sip}`);
      await again.until('answered').catch(() => {});
      const { state } = again;
      again.hangup();
      return state === 'answered';
    }, 'the app is still off');
  });

  it('an app asks the address that REST gave it for a stranger’s telephone, whose call lasts as long as REST allows', {
    skip: missing,
  }, async () => {
    const tn = 14045550128;
    const server = await openCustomer();
    servers.push(server);
    server.on('/flow', '<Response><Say>From a server.</Say></Response>');
    await ann.order(tn);
    const { uuid } = await ann.ask<{ uuid: string }>('POST', '/sip/app', { name: 'Asks', auto_answer: true });
    const flow = { call_flow_url: `${server.url}/flow`, call_flow_method: 'GET', max_call_length_min: 1 };
    await ann.ask('PATCH', `/sip/app/${uuid}`, flow);
    await ann.ask('PATCH', `/lease/tn/${tn}`, { sip_control_app: uuid });
    const [ear] = await freePorts(1);
    const said = await sipp('ear', tn, { ear: String(ear), payload: '0', codec: 'PCMU', events: '101' });
    const story = await platform.ended(/call ([0-9a-f-]{36})/.exec(said)![1]!);
    assert.deepEqual(verbs(story), ['Say[0] finished']);
    const [asked, ...more] = server.asked;
    assert.deepEqual([asked?.method, asked?.query.from, asked?.query.to, more.length], ['GET', 'sipp', String(tn), 0]);
    // What becomes of the call then: flow-engine/src/domain/ending.test.ts.
    const limit = all(story, 'TimerSet').find(({ purpose }) => purpose === 'max-length');
    assert.equal(limit!.dueAt - all(story, 'CallArrived')[0]!.at, 60_000);
  });

  describe('a SIP domain', () => {
    const domain = 'ann.sip.example.test';
    /** The phone sends it to the platform, whatever host the address names. */
    const at = async (by: Phone, user: string) => {
      const call = await by.call(`sip:${user}@${domain}`, { by: platform.sip });
      await call.until('answered').catch(() => {});
      return call;
    };

    it('reaches its app, whoever is called and whoever calls', async () => {
      const app = await ann.app('Door', '<Response><Say>Door.</Say></Response>', { auto_answer: true });
      await ann.ask('POST', '/sip/domain', { domain, sip_control_app: app });
      const call = await at(await phoneOf('12125550137'), 'anything-at-all');
      assert.equal(call.state === 'answered' || call.ended?.status === 0, true, JSON.stringify(call.ended));
      const story = await platform.ended(call.platformCallId);
      assert.deepEqual(verbs(story), ['Say[0] finished']);
      assert.equal(all(story, 'CallArrived')[0]!.app?.appId, app);
    });

    it('sends calls of its switches alone on to its connection', async () => {
      const pbx = await phoneOf('pbx');
      const made = { name: 'Behind', ip: '127.0.0.1', port: pbx.port };
      const { uuid } = await ann.ask<{ uuid: string }>('POST', '/sip/connection', made);
      await ann.ask('PATCH', `/sip/domain/${domain}`, { sip_control_app: null, sip_connection: uuid });
      const by = await phoneOf('12125550138');
      let last: PhoneCall | undefined;
      await soon(async () => {
        last = await at(by, 'extension-7');
        return last.ended?.status === 403;
      }, 'a stranger is still served');
      assert.match(reasonOf(last!) ?? '', /Q\.850;cause=21/);
      assert.match(all(await platform.ended(last!.platformCallId), 'CallArrived')[0]!.refusal ?? '', /no switch/);
      await ann.ask('POST', `/sip/domain/${domain}/switch`, { name: 'Ours', remote_ip: '127.0.0.1' });
      await soon(async () => {
        last = await at(by, 'extension-7');
        return last.state === 'answered';
      }, 'a switch is still refused');
      const [rung] = [...pbx.calls.values()];
      assert.equal(rung?.invite?.uriText, `sip:extension-7@127.0.0.1:${pbx.port}`);
      last!.hangup();
    });
  });
});

/** One scenario of SIPp towards a user of the platform. @returns what it logged */
async function sipp(name: string, user: number | string, keys: Record<string, string>): Promise<string> {
  const [port, media] = await freePorts(2);
  const cwd = mkdtempSync(join(tmpdir(), 'opentact-sipp-'));
  const args = [
    ...['-sf', `${FILES}${name}.xml`, '-s', String(user), '-i', '127.0.0.1', '-p', String(port), '-mp', String(media)],
    ...['-m', '1', '-nostdin', '-timeout', '20s', '-timeout_error', '-trace_logs', '-log_file', join(cwd, 'logs')],
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, value]),
    platform.sip,
  ];
  try {
    await new Promise<void>((done, failed) =>
      execFile('sipp', args, { cwd }, (error, _, stderr) =>
        error ? failed(new Error(`SIPp ${name}: ${error.message}\n${stderr}`)) : done(),
      ),
    );
    return readFileSync(join(cwd, 'logs'), 'utf8');
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
