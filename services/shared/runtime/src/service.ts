/**
 * Services as parts of a process: what `start.ts` of a service returns, and how a process runs those it holds. A process
 * of one service and one of several (a cell) differ in nothing else.
 */
import type { RequestListener } from 'node:http';
import { type Check, serveHealth } from './health.ts';
import { createLogger } from './logger.ts';
import { createShutdown, type DrainStep, runSteps } from './shutdown.ts';
import type { Config } from './variables.ts';

/** Answers a request of the process's own HTTP. @returns false where the path is none of its own. */
export type HttpAnswer = (...args: Parameters<RequestListener>) => boolean;

/** A service that runs in this process. */
export type Service = {
  /** Part of this process's /ready. */
  checks: Record<string, Check>;
  /** What its process's own HTTP has beside /health and /ready. */
  answer?: HttpAnswer;
  /** In this order; the log is still there. */
  leaving: DrainStep[];
};

const HEALTH_MS = 500;
const CLOSE_MS = 2_000;
/** More than the steps of all services, each of which has a deadline of its own. */
const SERVICES_MS_MAX = 60_000;
/** A join may wait for the log so long. */
const START_MS_MAX = 20_000;

/**
 * Starts services one after the other, by name, and has them leave in the opposite order when the process is told to: then
 * health, then what they share. Told to while they start, it ends those that are up; where one can't be started, too, and
 * the process ends with 1.
 * @param of.kind of this process, for its log. @param of.close ends what the services share: the log.
 */
export async function runServices(of: {
  kind: string;
  config: Pick<Config, 'health' | 'nodeName' | 'logLevel'>;
  services: Record<string, () => Promise<Service>>;
  close(): Promise<unknown>;
}): Promise<void> {
  const { config } = of;
  const logger = createLogger({ service: of.kind, node: config.nodeName, boot: '', level: config.logLevel });
  const starts = Object.entries(of.services);
  const up: Service[] = []; // first who leaves first
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
  let isUp = false;
  const checks: Record<string, Check> = { start: () => (isUp ? undefined : 'starting') };
  const health = await serveHealth(config.health, checks, (request, response) =>
    up.some(({ answer }) => answer?.(request, response) === true),
  );
  const shutdown = createShutdown(logger);
  shutdown.step('start', START_MS_MAX, () => settled);
  shutdown.step('services', SERVICES_MS_MAX, async () => {
    for (const { leaving } of up) await runSteps(leaving, logger);
  });
  shutdown.step('health', HEALTH_MS, () => health.close());
  shutdown.step('log', CLOSE_MS, of.close);
  try {
    for (const [name, start] of starts) {
      if (shutdown.signal.aborted) break;
      const service = await start();
      up.unshift(service);
      for (const [check, run] of Object.entries(service.checks))
        checks[starts.length > 1 ? `${name} ${check}` : check] = run;
    }
    isUp = true;
    settle();
  } catch (err) {
    logger.fatal({ err }, 'not started');
    settle();
    await shutdown.begin('not started');
    process.exit(1);
  }
}
