/**
 * Leaves in order: steps one after the other, each with a deadline, then the end. A second signal within a second is
 * the same Ctrl-C arriving twice and is ignored; a later one ends at once.
 */
import type { Logger } from './logger.ts';

/** One step of leaving. It is given up after `deadlineMs`; the next one runs all the same. */
export type DrainStep = { name: string; deadlineMs: number; run(): Promise<unknown> | unknown };

export type Shutdown = {
  /** Adds a step; steps run in the order they were added. */
  step(name: string, deadlineMs: number, run: DrainStep['run']): void;
  /** Runs all steps once; later calls wait for the same end. */
  begin(reason: string): Promise<void>;
  /** Aborted as leaving begins. */
  readonly signal: AbortSignal;
};

const SAME_SIGNAL_MS = 1000;

type Process = Pick<NodeJS.Process, 'on'> & { exit(code: number): unknown };

/** Resolves with what became of the step; never rejects. */
async function runStep(step: DrainStep, log: Logger): Promise<void> {
  const started = Date.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((done) => {
    timer = setTimeout(done, step.deadlineMs, 'late');
  });
  try {
    const ended = await Promise.race([Promise.resolve().then(step.run), late]);
    const fields = { step: step.name, tookMs: Date.now() - started };
    if (ended === 'late') log.warn({ ...fields, deadlineMs: step.deadlineMs }, 'drain step given up');
    else log.debug(fields, 'drain step done');
  } catch (err) {
    log.error({ step: step.name, err }, 'drain step failed');
  } finally {
    clearTimeout(timer);
  }
}

/** Runs steps one after the other, each with its deadline. Never rejects. */
export async function runSteps(steps: readonly DrainStep[], log: Logger): Promise<void> {
  for (const step of steps) await runStep(step, log);
}

/** @param host the process to listen on and to end; tests give their own. */
export function createShutdown(log: Logger, host: Process = process): Shutdown {
  const steps: DrainStep[] = [];
  const leaving = new AbortController();
  let end: Promise<void> | undefined;
  let signalledAt = 0;

  async function run(reason: string): Promise<void> {
    log.info({ reason, steps: steps.map((s) => s.name) }, 'leaving');
    leaving.abort();
    await runSteps(steps, log);
    log.info({ reason }, 'left');
  }
  const begin = (reason: string) => {
    end ??= run(reason);
    return end;
  };
  function onSignal(signal: NodeJS.Signals): void {
    const now = Date.now();
    if (end && now - signalledAt < SAME_SIGNAL_MS) return;
    signalledAt = now;
    if (end) {
      log.warn({ signal }, 'asked again: leaving without order');
      host.exit(130);
      return;
    }
    void begin(signal).then(() => host.exit(0));
  }
  host.on('SIGINT', onSignal);
  host.on('SIGTERM', onSignal);
  return { step: (name, deadlineMs, run) => steps.push({ name, deadlineMs, run }), begin, signal: leaving.signal };
}
