/**
 * Many calls at an even rate from one process: SIP and RTP over UDP, nothing but what the cases need. It stamps each
 * datagram as it reads it and watches its own lateness, so that a busy caller is seen and not taken for a slow platform.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { percentile } from '../kit/load-average.ts';
import type { Order, Outcome, Spread } from './order.ts';
import { type RtpLine, rtpLine } from './rtp-line.ts';
import { acknowledge, acknowledgeRefusal, bye, confirm, type Dialled, invite, read } from './sip-text.ts';

const ADDRESS = '127.0.0.1';
const TICK_MS = 2;
const FRAME_MS = 20;
const T1_MS = 500;
const FAIL_MS = 8_000;
/** RTP sockets; a call's packets are told apart by the port they come from. */
const SOCKETS = 16;
const CALLERS = 1_000;
/** The first prompt lasts a second. */
const KEY_AFTER_MS = 1_050;
const RECEIVE_BYTES = 4 * 1024 * 1024;

type Call = Dialled & {
  state: 'inviting' | 'up' | 'leaving';
  invitedAt: number;
  answeredAt: number;
  endAt: number;
  sendAgainAt: number;
  intervalMs: number;
  line: RtpLine;
  socket: Socket;
};

async function open(): Promise<Socket> {
  // Addresses are numbers already; the default look-up would cost a turn of the event loop per packet.
  const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
  const listening = once(socket, 'listening'); // With this look-up it is said within `bind`.
  socket.bind(0, ADDRESS);
  await listening;
  socket.setRecvBufferSize(RECEIVE_BYTES);
  return socket;
}

const spreadOf = (times: number[]): Spread => ({
  count: times.length,
  p50: percentile(times, 0.5),
  p99: percentile(times, 0.99),
  max: times.reduce((most, t) => Math.max(most, t), 0),
});

/** Makes the calls of an order and says what became of them. */
export async function makeCalls(order: Order): Promise<Outcome> {
  const sip = await open();
  const lines = await Promise.all(Array.from({ length: SOCKETS }, open));
  const calls = new Map<string, Call>();
  const byPort = new Map<number, Call>();
  const wheel: Array<Set<Call>> = Array.from({ length: FRAME_MS / TICK_MS }, () => new Set());
  const times = { answered: [], refused: [], firstRtp: [], firstSound: [], digit: [] } as Record<string, number[]>;
  const rtp = { sent: 0, received: 0, lost: 0, late: 0 };
  const run = `${process.pid}.${Date.now().toString(36)}`;
  const out = { started: 0, completed: 0, refused: 0, failed: 0, inviteRepeats: 0, byeRepeats: 0, concurrentMax: 0 };
  const why: Record<string, number> = {};
  const say = (text: string) => sip.send(Buffer.from(text, 'latin1'), order.sipPort, ADDRESS);

  function start(now: number): void {
    const id = out.started++;
    const socket = lines[id % SOCKETS]!;
    const call: Call = {
      id,
      sipCallId: `${id}.${run}`,
      uri: `sip:${order.user}@${ADDRESS}:${order.sipPort}`,
      user: `1555${String(1_000_000 + (id % CALLERS))}`,
      address: ADDRESS,
      sipPort: sip.address().port,
      rtpPort: socket.address().port,
      tag: `t${id}`,
      branch: `z9hG4bK${run}.${id}`,
      to: '',
      target: '',
      state: 'inviting',
      invitedAt: now,
      answeredAt: 0,
      endAt: now + FAIL_MS,
      sendAgainAt: now + T1_MS,
      intervalMs: T1_MS,
      line: rtpLine(id * 7_919 + 1, order.behaviour === 'job' ? KEY_AFTER_MS : undefined),
      socket,
    };
    calls.set(call.sipCallId, call);
    out.concurrentMax = Math.max(out.concurrentMax, calls.size);
    say(invite(call));
  }
  function finish(call: Call, fault?: string): void {
    if (!calls.delete(call.sipCallId)) return;
    byPort.delete(call.line.port);
    for (const slot of wheel) slot.delete(call);
    const { line, invitedAt } = call;
    for (const name of ['sent', 'received', 'lost', 'late'] as const) rtp[name] += line[name];
    if (call.answeredAt > 0) times.answered!.push(call.answeredAt - invitedAt);
    if (line.firstAt > 0) times.firstRtp!.push(line.firstAt - invitedAt);
    if (line.firstSoundAt > 0) times.firstSound!.push(line.firstSoundAt - invitedAt);
    if (line.soundAfterKeyAt > 0) times.digit!.push(line.soundAfterKeyAt - line.keyEndAt);
    const lacking = fault ?? missing(call);
    if (lacking === undefined) out.completed++;
    else {
      out.failed++;
      why[lacking] = (why[lacking] ?? 0) + 1;
    }
  }
  /** What a call that ended in order should have had and didn't. */
  function missing({ line }: Call): string | undefined {
    if (order.behaviour === 'sig') return undefined;
    if (line.received === 0) return 'no RTP';
    return order.behaviour === 'job' && line.soundAfterKeyAt === 0 ? 'no second prompt' : undefined;
  }
  function leave(call: Call, now: number): void {
    Object.assign(call, { state: 'leaving', sendAgainAt: now + T1_MS, intervalMs: T1_MS, endAt: now + FAIL_MS });
    say(bye(call));
  }
  function answered(call: Call, text: string, now: number): void {
    const { to, target, rtpPort } = read(text);
    Object.assign(call, { to, target, state: 'up', answeredAt: now, sendAgainAt: Number.POSITIVE_INFINITY });
    say(acknowledge(call));
    if (order.behaviour === 'sig') return leave(call, now);
    call.endAt = now + (order.behaviour === 'hold' ? order.holdMs : FAIL_MS);
    call.line.port = rtpPort;
    byPort.set(rtpPort, call);
    wheel[call.id % wheel.length]!.add(call);
  }
  function responded(call: Call, status: number, method: string, text: string, now: number): void {
    if (method === 'BYE') {
      if (call.state === 'leaving' && status >= 200) finish(call, status < 300 ? undefined : `BYE ${status}`);
      return;
    }
    if (status < 200) call.sendAgainAt = Number.POSITIVE_INFINITY;
    else if (status < 300 && call.state === 'inviting') answered(call, text, now);
    else if (status < 300) say(acknowledge(call));
    else {
      say(acknowledgeRefusal(call, read(text).to));
      if (status !== 503) return finish(call, String(status));
      calls.delete(call.sipCallId);
      times.refused!.push(now - call.invitedAt);
      out.refused++;
    }
  }
  sip.on('message', (bytes) => {
    const now = performance.now();
    const text = bytes.toString('latin1');
    const { status, method, sipCallId } = read(text);
    if (status === 0 && method !== 'ACK') say(confirm(text));
    const call = calls.get(sipCallId);
    if (!call) return;
    if (status > 0) responded(call, status, method, text, now);
    else if (method === 'BYE')
      finish(call, order.behaviour === 'job' || call.state === 'leaving' ? undefined : 'their BYE');
  });
  for (const socket of lines)
    socket.on('message', (bytes, { port }) => byPort.get(port)?.line.heard(bytes, performance.now()));

  /** Deadlines and repetitions. */
  function attend(now: number): void {
    for (const call of calls.values()) {
      if (now >= call.endAt) {
        if (call.state === 'up' && order.behaviour === 'hold') leave(call, now);
        else finish(call, { inviting: 'no answer', up: 'no BYE', leaving: 'no 200 to BYE' }[call.state]);
      } else if (now >= call.sendAgainAt) {
        call.intervalMs *= 2;
        call.sendAgainAt = now + call.intervalMs;
        if (call.state === 'inviting') out.inviteRepeats++;
        else out.byeRepeats++;
        say(call.state === 'inviting' ? invite(call) : bye(call));
      }
    }
  }
  const lateness = monitorEventLoopDelay({ resolution: TICK_MS });
  lateness.enable();
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let ticks = 0;
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const now = performance.now();
      const elapsed = now - startedAt;
      const wanted = order.calls + (order.again ? out.refused : 0);
      const due = Math.min(wanted, Math.floor((elapsed / 1000) * order.rate) + 1);
      while (out.started < due) start(performance.now());
      // After a late turn the frames missed are sent at once: a phone's sound card would do the same.
      for (; ticks * TICK_MS < elapsed; ticks++)
        for (const { line, socket } of wheel[ticks % wheel.length]!) socket.send(line.packet(now), line.port, ADDRESS);
      if (ticks % 5 === 0) attend(now);
      if (elapsed > order.secondsMax * 1000) for (const call of calls.values()) finish(call, 'time is over');
      if ((out.started < wanted && elapsed < order.secondsMax * 1000) || calls.size > 0) return;
      clearInterval(timer);
      done();
    }, TICK_MS);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const used = process.cpuUsage(cpu);
  lateness.disable();
  for (const socket of [sip, ...lines]) socket.close();
  const late = (share: number) => Math.max(0, lateness.percentile(share) / 1e6 - TICK_MS);
  return {
    ...out,
    why,
    seconds,
    answered: spreadOf(times.answered!),
    refusedAfter: spreadOf(times.refused!),
    firstRtp: spreadOf(times.firstRtp!),
    firstSound: spreadOf(times.firstSound!),
    digitToSound: spreadOf(times.digit!),
    rtp,
    callerCpu: (used.user + used.system) / 1e6 / seconds,
    callerLate: { count: lateness.count, p50: late(50), p99: late(99), max: late(100) },
  };
}
