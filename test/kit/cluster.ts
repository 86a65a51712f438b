/**
 * Engines in this process over the real link (gRPC on loopback) and scripted nodes that answer as phones, media and
 * servers would, twenty times as fast. For trying every place an engine can die; kills of real processes are elsewhere.
 */
import { type EventLog, faulty, type MemoryServer, memoryLog } from '@opentact/event-log';
import { createNodeLink, type NodeLink } from '@opentact/link';
import { type CallEvent, decodeEvent, encodeEvent, type Observed } from '@opentact/proto';
import { closeGrpc, createGrpcServer, createLogger, listenGrpc } from '@opentact/runtime';
import { newCall } from '../../services/flow-engine/src/domain/call.ts';
import { createDocumentReader } from '../../services/flow-engine/src/engine/document-reader.ts';
import { createEngine } from '../../services/flow-engine/src/engine/engine.ts';
import { eventOf, JOURNAL } from '../../services/flow-engine/src/engine/story.ts';
import { respond, type Scenario } from '../../services/flow-engine/src/simulate/simulate.ts';

const SPEED = 20;
const quiet = createLogger({
  service: 'test',
  node: 't',
  boot: 'b',
  level: process.env.OPENTACT_VERBOSE ? 'debug' : 'silent',
});

export type Fault = { at: number; when: 'before' | 'after'; what: 'die' | 'unavailable' };
/** How a process of the test gets its log; `crash` ends what stands for its locks. */
export type OpenLog = () => Promise<EventLog & { crash?(): void }>;

/** A log of memory shared by all that are opened by it. */
export const inMemory =
  (server: MemoryServer): OpenLog =>
  async () =>
    memoryLog(server);

/** One for all engines of this process: a thread takes longer to start than an engine of these lives. */
let documents: ReturnType<typeof createDocumentReader> | undefined;

/** Starts one engine; with a fault, it dies or loses its log at that write. */
export async function startEngine(open: OpenLog, name: string, fault?: Fault) {
  const base = await open();
  const server = createGrpcServer();
  let dead = false;
  const die = () => {
    dead = true;
    server.forceShutdown();
    base.crash?.();
    void engine.leave();
  };
  const log = fault ? faulty(base, { ...fault, died: die }) : base;
  const self = { name, boot: `${name}-${Math.random().toString(36).slice(2)}` };
  documents ??= createDocumentReader();
  const engine = createEngine({
    documents,
    log,
    self,
    logger: quiet,
    askRelease: async () => undefined,
    answers: () => false,
    tellPeer: () => Promise.reject(new Error('every call is told by its own owner here')),
  });
  engine.link.addTo(server);
  const port = await listenGrpc(server, '127.0.0.1:0');
  await log.registry.join({ ...self, kind: 'flow-engine', address: `127.0.0.1:${port}`, loadPercent: 0 });
  engine.start();
  return {
    self,
    engine,
    kill: die,
    isDead: () => dead,
    operations: () => ('operations' in log ? (log.operations as () => number)() : 0),
    async stop() {
      if (dead) return;
      await engine.leave();
      await log.registry.leave(self.name);
      await closeGrpc(server, 100);
      await base.close();
    },
  };
}

/** Has things happen after some ms, and in that order however busy the process is: two timers of Node's own may swap. */
function timeline() {
  const due: Array<{ at: number; happen: () => void }> = [];
  const happenUntil = (at: number) => {
    due.sort((a, b) => a.at - b.at);
    while (due[0] && due[0].at <= at) due.shift()!.happen();
  };
  return (ms: number, happen: () => void) => {
    const at = performance.now() + ms;
    due.push({ at, happen });
    setTimeout(() => happenUntil(at), ms);
  };
}

/** What the scripted nodes did, for counting side effects. */
export type Done = { kind: string; event: CallEvent };

/** Starts the edge, the media node and the notifier of a scenario. */
export async function startNodes(open: OpenLog, scenario: Scenario) {
  const done: Done[] = [];
  const links: Record<string, NodeLink> = {};
  const logs: EventLog[] = [];
  for (const kind of ['sip-edge', 'media', 'notifier']) {
    const events = await open();
    logs.push(events);
    const boot = `${kind}-boot`;
    links[kind] = createNodeLink({
      name: `${kind}-1`,
      boot,
      kind,
      events,
      log: quiet,
      handlers: {
        ask: ({ payload }) => answer(kind, decodeEvent(payload)),
        gone: () => undefined,
        known: () => undefined,
        hint: () => undefined,
        held: () => [],
      },
    });
    await events.registry.join({ name: `${kind}-1`, boot, kind, address: '127.0.0.1:9', loadPercent: 0 });
  }
  const report = (callId: string, fact: Observed) =>
    void links[reporterOf(fact)]!.report(callId, encodeEvent(fact)).catch(() => undefined);
  const pressed = { left: [...(scenario.press ?? [])] };
  const ended = new Set<string>();
  const inOrder = timeline();

  function answer(kind: string, event: CallEvent): void {
    done.push({ kind, event });
    respond(event, newCall(event.callId), scenario, (ms, fact) => inOrder(ms / SPEED, () => tell(event.callId, fact)));
    // The caller presses while the prompt of a Gather plays.
    const prompt =
      event.type === 'PlayRequested' && event.items.some((i) => i.kind === 'say' && i.value.text.startsWith('press'));
    if (!prompt) return;
    for (const [n, digit] of pressed.left.splice(0).entries())
      inOrder(10 * (n + 1), () => report(event.callId, { type: 'DigitPressed', leg: 0, digit, durationMs: 100 }));
  }
  /** The world tells each thing once: a leg ends once, a stopped play doesn't finish. */
  function tell(callId: string, fact: Observed): void {
    const once =
      fact.type === 'LegEnded'
        ? `leg ${fact.leg}`
        : /^(Play|Record)(Finished|Stopped|Failed)$/.test(fact.type) && 'requestId' in fact
          ? `request ${fact.requestId}`
          : undefined;
    if (once) {
      if (ended.has(`${callId} ${once}`)) return;
      ended.add(`${callId} ${once}`);
    }
    report(callId, fact);
  }
  return {
    done,
    links,
    call: (callId: string, arrived: Observed) => links['sip-edge']!.report(callId, encodeEvent(arrived)),
    async stop() {
      for (const link of Object.values(links)) await link.close();
      for (const log of logs) await log.close();
    },
  };
}

/** Which kind of node reports a fact. */
export const reporterOf = (fact: Observed) =>
  /^(CallArrived|Leg|Dial|Answer|Offer)/.test(fact.type)
    ? 'sip-edge'
    : /^Document/.test(fact.type)
      ? 'notifier'
      : 'media';

/** The story of a call as the journal holds it. */
export async function storyOf(log: EventLog, callId: string): Promise<CallEvent[]> {
  const story: CallEvent[] = [];
  for await (const record of log.readKey(JOURNAL, callId)) {
    const event = eventOf(record);
    if (event) story.push(event);
  }
  return story;
}

/**
 * Waits until the call has ended and everything it held was given back, as long as it goes on: a busy machine is slow.
 * @param ms how long nothing may be added to its story
 * @throws Error with the story's tail
 */
export async function untilSettled(log: EventLog, callId: string, ms: number): Promise<CallEvent[]> {
  let until = Date.now() + ms;
  for (let length = 0; ; await new Promise((r) => setTimeout(r, 20))) {
    const story = await storyOf(log, callId);
    if (story.length > length) until = Date.now() + ms;
    length = story.length;
    const open = new Set(story.flatMap((e) => (e.type === 'ReleaseRequested' ? [e.seq] : [])));
    for (const e of story) if (e.type === 'SessionReleased') open.delete(e.requestId);
    if (story.some((e) => e.type === 'CallEnded') && open.size === 0) return story;
    if (Date.now() > until)
      throw new Error(
        `call ${callId} is not settled: ${story
          .slice(-8)
          .map((e) => `${e.seq} ${e.type}`)
          .join(', ')}`,
      );
  }
}
