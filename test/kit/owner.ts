/** One owner of one partition with a link of the test's own, a log in memory and a clock that the test moves. */
import { createMemoryServer, type EventLog, memoryLog } from '@opentact/event-log';
import type { NodeRef } from '@opentact/link';
import { type CallEvent, decodeEvent, encodeEvent, type Observed } from '@opentact/proto';
import { createLogger, partitionOf } from '@opentact/runtime';
import { newCall } from '../../services/flow-engine/src/domain/call.ts';
import { stepWith } from '../../services/flow-engine/src/domain/step.ts';
import { openPartition, type Partition } from '../../services/flow-engine/src/engine/partition.ts';
import { arrived, respond, type Scenario } from '../../services/flow-engine/src/simulate/simulate.ts';
import { parseDocument } from '../../services/flow-engine/src/xml/document.ts';
import { reporterOf, storyOf } from './cluster.ts';

const SPEED = 50;
const quiet = createLogger({ service: 'test', node: 't', boot: 'b', level: 'silent' }, { write() {} });
const KINDS = ['sip-edge', 'media', 'notifier'];
const refOf = (kind: string): NodeRef => ({ name: kind, boot: 'b', kind, loadPercent: 0, isNear: false });

export type Owner = ReturnType<typeof createOwner>;

/** `answers` false: the nodes leave the request unanswered. */
export function createOwner(
  t: { after(done: () => Promise<void>): void },
  scenario: Partial<Scenario>,
  answers: (event: CallEvent) => boolean = () => true,
) {
  const log: EventLog = memoryLog(createMemoryServer());
  const asked: CallEvent[] = [];
  const gone: string[] = [];
  const counts = new Map<string, number>();
  let partition: Partition;
  let offset = 0;
  const opened: number[] = [];
  t.after(async () => partition?.release());
  const whole = { xml: '<Response/>', ...scenario };

  function report(callId: string, fact: Observed): void {
    const source = reporterOf(fact);
    const n = (counts.get(callId + source) ?? 0) + 1;
    counts.set(callId + source, n);
    const place = { key: callId, partition: partition.number, source, boot: 'b', n, observedAt: 0 };
    partition.fact({ ...place, payload: encodeEvent(fact) }, refOf(source));
  }

  const link = {
    nodes: () => KINDS.map(refOf),
    open(number: number) {
      opened.push(number);
      setImmediate(() => {
        for (const kind of KINDS) partition?.caughtUp(refOf(kind));
      });
    },
    ask(_to: unknown, { key, seq, payload }: { key: string; seq: number; payload: Uint8Array }) {
      const event = decodeEvent(payload);
      asked.push(event);
      setImmediate(() => partition.takenOn(key, seq));
      if (answers(event))
        respond(event, newCall(key), whole, (ms, fact) => setTimeout(() => report(key, fact), ms / SPEED));
      return true;
    },
    auditAnswer: (_to: unknown, _partition: number, _epoch: number, keys: string[]) => void gone.push(...keys),
    shut() {},
    ack() {},
    gap() {},
    notOwner() {},
    unknown() {},
    known() {},
    settled() {},
    hint() {},
  };

  return {
    log,
    asked,
    gone,
    opened,
    report,
    now: () => Date.now() + offset,
    /** Moves the owner's clock. */
    later: (ms: number) => {
      offset += ms;
    },
    partition: () => partition,
    /** Takes the partition of a call, from whoever had it. */
    async take(callId: string): Promise<Partition> {
      const needs = {
        log,
        link: link as never,
        step: stepWith(parseDocument),
        documents: { read: () => undefined },
        self: { name: 'engine', boot: String(opened.length) },
        now: () => Date.now() + offset,
        logger: quiet,
        pick: (kind: string) => ({ node: kind, boot: 'b' }),
        tell: async () => 'told' as const,
        isDead: () => false,
        living: () => [],
        opened() {},
        lost() {},
        refused: { learn() {}, has: () => false, mark() {} },
      };
      partition = await openPartition(needs, partitionOf(callId, log.partitions));
      partition.open();
      await this.until(() => partition.isReady());
      return partition;
    },
    arrive: (callId: string, xml: string) => report(callId, arrived({ ...whole, xml })),
    story: (callId: string) => storyOf(log, callId),
    async until(holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
      for (const end = Date.now() + ms; !(await holds()); await new Promise((r) => setTimeout(r, 5)))
        if (Date.now() > end) throw new Error(`not within ${ms} ms: ${holds}`);
    },
  };
}
