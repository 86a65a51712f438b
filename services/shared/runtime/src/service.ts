/**
 * Services as parts of a process: what `start.ts` of a service returns, and how a process runs those it holds. A process
 * of one service and one of several (a cell) differ in nothing else.
 */
import type { RequestListener } from 'node:http';
import { type Check, serveHealth } from './health.ts';
import type { Logger } from './logger.ts';
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

/** Services that leave at the same time; groups leave one after the other. */
export type LeavingGroup = readonly Service[];

const HEALTH_MS = 500;
const CLOSE_MS = 2_000;

/**
 * Serves health for services that are up, and has them leave in order when the process is told to: group after group,
 * then health, then what they share.
 * @param of.close ends what the services share: the log.
 */
export async function runServices(of: {
  config: Pick<Config, 'health'>;
  logger: Logger;
  groups: readonly LeavingGroup[];
  close(): Promise<unknown>;
}): Promise<void> {
  const { config, logger, groups } = of;
  const services = groups.flat();
  const shutdown = createShutdown(logger);
  const checks = Object.assign({}, ...services.map((service) => service.checks)) as Record<string, Check>;
  const health = await serveHealth(config.health, checks, (request, response) =>
    services.some(({ answer }) => answer?.(request, response) === true),
  );
  for (const group of groups) {
    const [first] = group;
    if (group.length === 1)
      for (const { name, deadlineMs, run } of first!.leaving) shutdown.step(name, deadlineMs, run);
    else {
      const deadlineMs = Math.max(
        ...group.map(({ leaving }) => leaving.reduce((sum, step) => sum + step.deadlineMs, 0)),
      );
      shutdown.step('side by side', deadlineMs, () =>
        Promise.all(group.map(({ leaving }) => runSteps(leaving, logger))),
      );
    }
  }
  shutdown.step('health', HEALTH_MS, () => health.close());
  shutdown.step('log', CLOSE_MS, of.close);
}
