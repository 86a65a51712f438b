/**
 * Every race that has a judge (architecture, section 6): each is run on the wire, and what the judge said is read from
 * the story and from both ends of it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { openPhone, type Phone, type PhoneCall } from '@opentact/phone';
import { branchOf, type CallEvent, callIdOfInvite, cseqOf, localTag, sipCallIdOf } from '@opentact/proto';
import type { SipResponse } from '../../services/sip-edge/src/stack/message/message.ts';
import { all, eventually, openScene, outcome, type Scene, verbs } from '../kit/scene.ts';
import { forgetStalls, pauseOf } from '../kit/stall.ts';
import { closeWires, openWire, type Wire } from '../kit/wire.ts';

const WAIT = '<Response><Pause length="20000"/></Response>';
const GAP_MAX_MS = 100;

let scene: Scene;
let wire: Wire;
let bob: Phone;
let carol: Phone;
let unacknowledged: Promise<{ bye: number; story: CallEvent[] }>;

const callIdOf = (response: SipResponse) => response.headers.get('x-opentact-call-id') ?? '';
const toTagOf = (response: SipResponse) => /;tag=([^;>\s]+)/.exec(response.headers.get('to') ?? '')?.[1] ?? '';
const signal = (names: string[], what: NodeJS.Signals) => {
  for (const name of names) scene.platform.kill(name, what);
};

/** Everything of these processes stands still while this is done. */
async function frozen<T>(names: string[], does: () => Promise<T>): Promise<T> {
  signal(names, 'SIGSTOP');
  try {
    return await does();
  } finally {
    signal(names, 'SIGCONT');
  }
}

/** A caller by hand, answered and acknowledged unless told otherwise. */
async function wired(xml: string, options: { acks?: boolean } = {}) {
  const uri = await scene.staged(xml);
  const mine = await openWire(scene.platform.sip);
  const [callId, fromTag] = [mine.callId(), `f${mine.port}`];
  const invite = mine.send(uri, { callId, fromTag, sdp: mine.peer.offer() });
  const ok = await mine.response(200);
  const target = /<([^>]+)>/.exec(ok.headers.get('contact')!)![1]!;
  const dialog = { callId, fromTag, toTag: toTagOf(ok) };
  if (options.acks !== false) mine.send(target, { ...dialog, method: 'ACK' });
  mine.peer.connect(ok.body.toString());
  return { mine, uri, invite, ok, target, dialog, id: callIdOf(ok) };
}

const dialled = (...phones: Array<{ port: number }>) =>
  `<Response><Dial timeout="8000">${phones.map((p) => `<Sip>bob@127.0.0.1:${p.port}</Sip>`).join('')}</Dial></Response>`;

describe('races', { timeout: 180_000 }, () => {
  before(
    async () => {
      scene = await openScene();
      [wire, bob, carol] = await Promise.all([
        openWire(scene.platform.sip),
        openPhone({ user: 'bob' }),
        openPhone({ user: 'carol' }),
      ]);
      // It takes 64·T1 = 32 s, in which everything else happens.
      unacknowledged = neverAcknowledged();
      unacknowledged.catch(() => undefined);
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await Promise.all([closeWires(), bob?.close(), carol?.close()]);
    await scene?.close();
  });

  async function neverAcknowledged() {
    const { mine, id, dialog } = await wired('<Response><Pause length="60000"/></Response>', { acks: false });
    const began = performance.now();
    const bye = await mine.request('BYE', 40_000);
    mine.answer(bye, 200);
    assert.equal(bye.callId, dialog.callId);
    const story = await scene.platform.ended(id);
    await mine.close();
    return { bye: performance.now() - began, story };
  }

  it('a CANCEL without our tag finds its call; the caller hears 487, and the phone that rang is left alone', async () => {
    bob.onCall = (call) => call.ring();
    const call = await scene.ring(dialled(bob));
    await call.until('ringing');
    call.hangup();
    await call.until('ended');
    assert.deepEqual(call.ended, { by: 'them', status: 487 });
    const story = await scene.platform.ended(call.platformCallId);
    assert.equal(outcome(story), 'caller: cancelled');
    const [callee] = [...bob.calls.values()].slice(-1);
    await callee!.until('ended');
    assert.deepEqual(callee!.ended, { by: 'them', status: 487 });
    wire.send(`sip:nobody@${scene.platform.sip}`, { method: 'CANCEL', callId: wire.callId() });
    await wire.response(481, 'CANCEL');
  });

  for (const order of ['before', 'after'] as const)
    it(`a CANCEL ${order === 'before' ? 'that crosses' : 'after'} our answer: the edge judges, and caller and story agree with it`, async (t) => {
      const { story, cancelled } = await cancelAgainstAnswer(order);
      t.diagnostic(cancelled ? 'the CANCEL won' : 'the answer won');
      // On the wire at once, it is the edge's word; after the answer was heard there is no doubt.
      if (order === 'after') assert.equal(cancelled, false);
      assert.equal(all(story, 'LegAnswered').length, cancelled ? 0 : 1);
      assert.deepEqual(
        all(story, 'AnswerFailed').map((e) => e.reason),
        cancelled ? ['cancelled'] : [],
      );
      assert.equal(outcome(story), cancelled ? 'caller: cancelled' : 'caller: bye');
    });

  /** `before`: the edge stands still until both CANCEL and answer wait for it. `after`: the caller had its 200. */
  async function cancelAgainstAnswer(cancel: 'before' | 'after'): Promise<{ story: CallEvent[]; cancelled: boolean }> {
    const { platform } = scene;
    const mine = await openWire(platform.sip);
    const uri = await scene.staged(WAIT);
    const request = { callId: mine.callId(), branch: mine.branch() };
    const sendCancel = () => mine.send(uri, { ...request, method: 'CANCEL' });
    signal(scene.platform.named('media'), 'SIGSTOP');
    mine.send(uri, { ...request, sdp: mine.peer.offer() });
    const id = callIdOf(await mine.response(100));
    await platform.until(id, (e) => e.type === 'SessionRequested');
    if (cancel === 'before')
      await frozen(scene.platform.named('sip-edge'), async () => {
        sendCancel();
        signal(scene.platform.named('media'), 'SIGCONT');
        await platform.until(id, (e) => e.type === 'AnswerRequested');
      });
    else {
      signal(scene.platform.named('media'), 'SIGCONT');
      await mine.response(200);
      sendCancel();
    }
    await mine.response(200, 'CANCEL');
    const isFinal = () =>
      mine.heard.some(({ message: m }) => m.kind === 'response' && m.status > 199 && m.cseq.method === 'INVITE');
    await eventually(isFinal, 'the INVITE was not answered');
    const refusal = mine.heard.flatMap(({ message: m }) => (m.kind === 'response' && m.status === 487 ? [m] : []))[0];
    if (refusal) {
      mine.send(uri, { ...request, method: 'ACK', toTag: toTagOf(refusal) });
      // It may be told after the end of the call.
      await platform.until(id, (e) => e.type === 'AnswerFailed');
    } else {
      const ok = await mine.response(200);
      const target = /<([^>]+)>/.exec(ok.headers.get('contact')!)![1]!;
      const dialog = { callId: request.callId, toTag: toTagOf(ok) };
      mine.send(target, { ...dialog, method: 'ACK' });
      await platform.until(id, (e) => e.type === 'LegConfirmed');
      mine.send(target, { ...dialog, method: 'BYE', cseq: 2 });
      await mine.response(200, 'BYE');
    }
    const story = await platform.ended(id);
    await mine.close();
    // An edge that stood still takes itself for overloaded, and refuses new calls until it has seen better times.
    await backAgain();
    return { story, cancelled: refusal !== undefined };
  }

  it('a phone answers although it was cancelled: it is acknowledged and hung up on', async () => {
    const late = await openWire(scene.platform.sip);
    const call = await scene.dial(
      `<Response><Dial timeout="1000"><Sip>late@127.0.0.1:${late.port}</Sip></Dial><Say>Nobody.</Say></Response>`,
    );
    const invite = await late.request('INVITE');
    late.answer(invite, 180);
    late.answer(await late.request('CANCEL'), 200);
    late.answer(invite, 200, { sdp: late.peer.offer() });
    await late.request('ACK');
    late.answer(await late.request('BYE'), 200);
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), ['Dial[0] no-answer', 'Say[0] finished']);
    assert.equal(all(story, 'LegAnswered').filter((e) => e.leg === 1).length, 1);
    assert.equal(all(story, 'BridgeStarted').length, 0);
    assert.ok(all(story, 'HangupRequested').some((e) => e.leg === 1 && e.reason === 'late'));
    await late.close();
  });

  it('two phones answer at once: the first in the journal is connected, the other is let go', async () => {
    bob.onCall = (call) => call.accept();
    carol.onCall = (call) => call.accept();
    const call = await scene.dial(dialled(bob, carol));
    await scene.platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
    await scene.platform.until(call.platformCallId, (e) => e.type === 'LegEnded' && e.leg > 0);
    const gone = all(await scene.platform.story(call.platformCallId), 'LegEnded').find((e) => e.leg > 0)!.leg;
    const [first, other] = (gone === 2 ? [bob, carol] : [carol, bob]).map((p) => [...p.calls.values()].at(-1));
    // Where the first answers before the other's INVITE went out, the other is never rung.
    await eventually(() => !other || other.ended !== undefined, 'the other phone was not let go');
    assert.equal(first!.ended, undefined);
    first!.hangup();
    const story = await scene.platform.ended(call.platformCallId);
    const [bridge] = all(story, 'BridgeRequested');
    assert.equal(all(story, 'BridgeRequested').length, 1);
    assert.equal(bridge!.legB, all(story, 'LegAnswered').find((e) => e.leg > 0)!.leg);
    assert.deepEqual(verbs(story), ['Dial[0] callee-hung-up']);
  });

  it('one phone is busy: the one that answers is connected', async () => {
    bob.onCall = (call) => call.hangup(486);
    carol.onCall = (call) => {
      call.ring();
      setTimeout(() => call.accept(), 300);
    };
    const call = await scene.dial(dialled(bob, carol));
    await scene.platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
    [...carol.calls.values()].at(-1)!.hangup();
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(
      all(story, 'DialFailed').map((e) => `${e.leg} ${e.reason}`),
      ['1 busy'],
    );
    assert.deepEqual(verbs(story), ['Dial[0] callee-hung-up']);
  });

  it('a 6xx speaks for everyone: the other phone stops ringing', async () => {
    bob.onCall = (call) => {
      call.ring();
      setTimeout(() => call.hangup(603), 300);
    };
    carol.onCall = (call) => call.ring();
    const call = await scene.dial(dialled(bob, carol));
    const story = await scene.platform.ended(call.platformCallId);
    const other = [...carol.calls.values()].at(-1)!;
    assert.deepEqual(other.ended, { by: 'them', status: 487 });
    assert.deepEqual(verbs(story), ['Dial[0] rejected']);
    assert.ok(all(story, 'VerbEnded')[0]!.at - all(story, 'VerbStarted')[0]!.at < 3_000, 'long before its time-out');
  });

  it('several phones behind one address answer: the first is kept, the others are acknowledged and hung up on', async () => {
    const fork = await openWire(scene.platform.sip);
    const call = await scene.dial(
      `<Response><Dial><Sip>fork@127.0.0.1:${fork.port}</Sip></Dial><Say>Back.</Say></Response>`,
    );
    const invite = await fork.request('INVITE');
    const sdp = fork.peer.answer(invite.body.toString());
    for (const tag of ['desk', 'kitchen', 'car']) fork.answer(invite, 200, { tag, sdp });
    for (const tag of ['kitchen', 'car']) {
      await fork.request('ACK', 5_000, (r) => (r.headers.get('to') ?? '').includes(`tag=${tag}`));
      const bye = await fork.request('BYE', 5_000, (r) => (r.headers.get('to') ?? '').includes(`tag=${tag}`));
      fork.answer(bye, 200);
    }
    await fork.request('ACK', 5_000, (r) => (r.headers.get('to') ?? '').includes('tag=desk'));
    await scene.platform.until(call.platformCallId, (e) => e.type === 'BridgeStarted');
    assert.ok(!fork.requests('BYE').some((r) => (r.headers.get('to') ?? '').includes('tag=desk')));
    const from = invite.headers.get('from')!;
    fork.send(/<([^>]+)>/.exec(invite.headers.get('contact')!)![1]!, {
      ...{ method: 'BYE', callId: invite.callId, cseq: 2 },
      ...{ fromTag: 'desk', toTag: /;tag=([^;\s]+)/.exec(from)![1]! },
    });
    await fork.response(200, 'BYE');
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), ['Dial[0] callee-hung-up', 'Say[0] finished']);
    assert.equal(all(story, 'LegAnswered').filter((e) => e.leg === 1).length, 1);
    await fork.close();
  });

  it('an INVITE sent again is the same call; the same call by another way around is 482', async () => {
    const { mine, invite, ok, target, dialog, id, uri } = await wired(WAIT);
    const before = mine.heard.length;
    mine.raw(invite);
    await eventually(() => mine.heard.length > before, 'the INVITE sent again was not answered', 3_000).catch(
      () => undefined, // RFC 6026 2: in the Accepted state it is absorbed
    );
    for (const { message } of mine.heard.slice(before))
      assert.ok(message.kind === 'response' && callIdOf(message) === id && toTagOf(message) === toTagOf(ok));
    mine.send(uri, { callId: dialog.callId, fromTag: dialog.fromTag, sdp: mine.peer.offer() });
    const merged = await mine.response(482);
    assert.equal(callIdOf(merged), id);
    mine.send(target, { ...dialog, method: 'BYE', cseq: 2 });
    await mine.response(200, 'BYE');
    const story = await scene.platform.ended(id);
    assert.equal(all(story, 'CallArrived').length, 1);
    await mine.close();
  });

  it('an INVITE sent again before its answer is answered once, as one call', async () => {
    const mine = await openWire(scene.platform.sip);
    const uri = await scene.staged(WAIT);
    const invite = mine.send(uri, { sdp: mine.peer.offer() });
    for (let i = 0; i < 5; i++) mine.raw(invite);
    const ok = await mine.response(200);
    const dialog = { callId: ok.callId, toTag: toTagOf(ok) };
    const target = /<([^>]+)>/.exec(ok.headers.get('contact')!)![1]!;
    mine.send(target, { ...dialog, method: 'ACK' });
    mine.send(target, { ...dialog, method: 'BYE', cseq: 2 });
    await mine.response(200, 'BYE');
    const story = await scene.platform.ended(callIdOf(ok));
    assert.equal(all(story, 'CallArrived').length, 1);
    assert.equal(all(story, 'LegAnswered').length, 1);
    await mine.close();
  });

  it('a BYE while the owner is away is answered after 500 ms, and the story hears of it', async () => {
    const { mine, target, dialog, id } = await wired(WAIT);
    await scene.platform.until(id, (e) => e.type === 'VerbStarted');
    const tookMs = await frozen(scene.platform.named('flow-engine'), async () => {
      const began = performance.now();
      mine.send(target, { ...dialog, method: 'BYE', cseq: 2 });
      await mine.response(200, 'BYE');
      return performance.now() - began;
    });
    // Not at once, and not only when the client transaction gives up (Timer F, 32 s).
    assert.ok(tookMs > 400 && tookMs < 8_000, `${Math.round(tookMs)} ms`);
    assert.equal(outcome(await scene.platform.ended(id)), 'caller: bye');
    await mine.close();
  });

  it('a re-INVITE while the owner is away is refused after 2 s with Retry-After, and the call goes on', async () => {
    forgetStalls();
    const { mine, target, dialog, id } = await wired(WAIT);
    await scene.platform.until(id, (e) => e.type === 'VerbStarted');
    await frozen(scene.platform.named('flow-engine'), async () => {
      const began = performance.now();
      mine.send(target, { ...dialog, cseq: 2, sdp: mine.peer.offer('sendonly') });
      const second = (r: SipResponse) => r.cseq.number === 2;
      await mine.response(100, 'INVITE', undefined, second);
      const refusal = await mine.response(500, 'INVITE', undefined, second);
      const tookMs = performance.now() - began;
      // Not at once, and not only when the transaction gives up (Timer B, 32 s).
      assert.ok(tookMs > 1_900 && tookMs < 8_000, `${Math.round(tookMs)} ms`);
      assert.match(refusal.headers.get('retry-after') ?? '', /^\d+$/);
    });
    assert.ok(pauseOf(mine.peer.heard) < GAP_MAX_MS);
    mine.send(target, { ...dialog, method: 'BYE', cseq: 3 });
    await mine.response(200, 'BYE');
    assert.equal(outcome(await scene.platform.ended(id)), 'caller: bye');
    await mine.close();
  });

  it('an offer while another is unanswered is refused; the first one is answered in peace', async () => {
    const { mine, target, dialog, id } = await wired(WAIT);
    await scene.platform.until(id, (e) => e.type === 'VerbStarted');
    await frozen(scene.platform.named('media'), async () => {
      mine.send(target, { ...dialog, cseq: 2, sdp: mine.peer.offer('sendonly') });
      await scene.platform.until(id, (e) => e.type === 'SessionChangeRequested');
      mine.send(target, { ...dialog, cseq: 3, sdp: mine.peer.offer('sendrecv') });
      // RFC 3261 14.2: 500 where the first was theirs, 491 where it was ours.
      const refusal = await mine.response(500, 'INVITE', 2_000, (r) => r.cseq.number === 3);
      assert.match(refusal.headers.get('retry-after') ?? '', /^\d+$/);
    });
    await mine.response(200, 'INVITE', 3_000, (r) => r.cseq.number === 2);
    mine.send(target, { ...dialog, method: 'ACK', cseq: 2 });
    mine.send(target, { ...dialog, method: 'BYE', cseq: 4 });
    await mine.response(200, 'BYE');
    const story = await scene.platform.ended(id);
    assert.deepEqual(
      all(story, 'SessionChanged').map((e) => e.held),
      [true],
    );
    await mine.close();
  });

  it('a key against the time-out: the journal says which was first, and the flow follows one of them', async () => {
    const call = await scene.dial(
      '<Response><Gather timeout="1000"><Say>Now.</Say><Switch><Case dtmf="1"><Say>A key.</Say></Case></Switch><Error><Say>Silence.</Say></Error></Gather></Response>',
    );
    const timer = await scene.platform.until(
      call.platformCallId,
      (e) => e.type === 'TimerSet' && e.purpose === 'gather',
    );
    assert.ok(timer.type === 'TimerSet');
    await frozen(scene.platform.named('flow-engine'), async () => {
      await call.peer.press('1');
      await new Promise((r) => setTimeout(r, Math.max(0, timer.dueAt - Date.now()) + 50));
    });
    const story = await scene.platform.ended(call.platformCallId);
    const fired = story.findIndex((e) => e.type === 'TimerFired' && e.purpose === 'gather');
    const digit = story.findIndex((e) => e.type === 'DigitPressed');
    const keyFirst = digit >= 0 && (fired < 0 || digit < fired);
    assert.deepEqual(
      verbs(story),
      keyFirst
        ? ['Gather[0] entered 1', 'Gather[0].Case[0].Say[0] finished']
        : ['Gather[0] silence', 'Gather[0].Error[0].Say[0] finished'],
    );
  });

  it('responses that nobody asked for are dropped in silence', async () => {
    const [host, port] = scene.platform.sip.split(':');
    const before = wire.heard.length;
    for (const via of [`${host}:${port}`, '127.0.0.9:5060'])
      for (const status of ['200 OK', '180 Ringing', '486 Busy Here'])
        wire.raw(
          [
            `SIP/2.0 ${status}`,
            `Via: SIP/2.0/UDP ${via};branch=z9hG4bKstranger`,
            'From: <sip:us@127.0.0.1>;tag=00000000-0000-8000-8000-000000000001.0123456789abcdef',
            `To: <sip:wire@127.0.0.1:${wire.port}>;tag=w`,
            'Call-ID: stranger',
            'CSeq: 16 INVITE',
            `Contact: <sip:wire@127.0.0.1:${wire.port}>`,
            'Content-Length: 0\r\n\r\n',
          ].join('\r\n'),
        );
    // Whatever would have been answered was answered before this.
    wire.send(`sip:${scene.platform.sip}`, { method: 'OPTIONS' });
    await wire.response(200, 'OPTIONS');
    assert.equal(wire.heard.length, before + 1);
  });

  it('the log is away: a live call keeps its audio, a new one is told to come back', { timeout: 60_000 }, async () => {
    forgetStalls();
    const call: PhoneCall = await scene.dial(
      '<Response><Say>This call began before the log went away, and it goes on speaking for a while, whatever becomes of the log.</Say><Say>And on.</Say></Response>',
    );
    await scene.platform.until(call.platformCallId, (e) => e.type === 'PlayRequested');
    const stuck = await scene.staged(WAIT);
    const postgres = processesOf(scene.platform.pid('postgres'));
    assert.ok(postgres.length > 3);
    try {
      for (const pid of postgres) signalled(pid, 'SIGSTOP');
      const mine = await openWire(scene.platform.sip);
      mine.send(stuck, { sdp: mine.peer.offer() });
      // While the log is still away: it comes back only below.
      const refusal = await mine.response(503);
      assert.match(refusal.headers.get('retry-after') ?? '', /^\d+$/);
      assert.notEqual(callIdOf(refusal), '');
      await mine.close();
    } finally {
      for (const pid of postgres) signalled(pid, 'SIGCONT');
    }
    const story = await scene.platform.ended(call.platformCallId);
    assert.deepEqual(verbs(story), ['Say[0] finished', 'Say[1] finished']);
    const prompt = call.peer.heard;
    assert.ok(pauseOf(prompt) < GAP_MAX_MS, `RTP paused for ${Math.round(prompt.longestGapMs)} ms`);
    await backAgain();
    const next = await scene.dial('<Response><Say>Back.</Say></Response>');
    assert.equal(outcome(await scene.platform.ended(next.platformCallId)), 'document: document-end');
  });

  it('nobody acknowledges our 200: after 32 s the call is hung up, and the story says why', {
    timeout: 60_000,
  }, async () => {
    const { bye, story } = await unacknowledged;
    assert.ok(bye > 31_000 && bye < 36_000, `${Math.round(bye)} ms`);
    assert.deepEqual(
      all(story, 'LegEnded').map((e) => e.reason),
      ['no-ack'],
    );
    assert.equal(outcome(story), 'caller: no-ack');
  });

  it('a stray 200 is acknowledged and hung up if its branch proves that the INVITE was ours, else dropped in silence', async () => {
    const secret = readFileSync(`${scene.platform.home}/secret`, 'utf8').trim();
    const callId = callIdOfInvite(secret, 'long-ago', 'tag', 1);
    const forger = await openWire(scene.platform.sip);
    forger.raw(strayAnswer(secret, forger.port, callId, branchOf('not the secret', callId, 30, 0)));
    const late = await openWire(scene.platform.sip);
    late.raw(strayAnswer(secret, late.port, callId, branchOf(secret, callId, 30, 0)));
    await late.request('ACK');
    await late.request('BYE');
    assert.deepEqual(forger.heard, []);
  });
});

/** A 200 to an INVITE that no transaction waits for, as the phone at `port` would send it late. */
function strayAnswer(secret: string, port: number, callId: string, branch: string): string {
  const edge = scene.platform.sip;
  return [
    'SIP/2.0 200 OK',
    `Via: SIP/2.0/UDP ${edge};branch=${branch};rport`,
    `From: <sip:platform@${edge}>;tag=${localTag(secret, callId, 1)}`,
    `To: <sip:late@127.0.0.1:${port}>;tag=late`,
    `Call-ID: ${sipCallIdOf(secret, callId, 1)}`,
    `CSeq: ${cseqOf(30, 0)} INVITE`,
    `Contact: <sip:late@127.0.0.1:${port}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** The platform would answer a call again: the edge's readiness counts its event loop's delay in. */
async function backAgain(): Promise<void> {
  for (const end = Date.now() + 20_000; !(await scene.platform.ready()); await new Promise((r) => setTimeout(r, 50)))
    if (Date.now() > end) throw new Error('not ready again after 15 s');
}

/** A backend may have ended since it was listed. */
function signalled(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process and its children. */
function processesOf(pid: number): number[] {
  const children = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]) === pid;
    } catch {
      return false; // gone meanwhile
    }
  });
  return [pid, ...children.map(Number)];
}
