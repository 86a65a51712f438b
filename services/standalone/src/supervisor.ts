/** Starts the processes of a plan, tells what becomes of them, and makes them leave in order. */

import { type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, Logger, Readiness } from '@opentact/runtime';
import { isWildcard } from '@opentact/runtime';
import { type Child, createChild } from './child.ts';
import { lastSaid } from './log-files.ts';
import { leavesOf, type Planned, TURNS } from './plan.ts';
import { endStranger, strangersOf } from './strangers.ts';

/** How long a process may take to leave before it is killed; a media node waits for its calls. */
const GRACE_MS = 35_000;
const READY_MS_MAX = 30_000;
/** Between a process that is ready and the next that leaves: what was its share has come back to it. */
const SETTLE_MS = 1_500;

export type Supervisor = {
  start(): Promise<void>;
  /**
   * One after the other, in the place of those that run: each is ready before the next one leaves. Those of another shape
   * leave last.
   * @returns the name of the first that did not become ready, at which it stopped.
   */
  replace(): Promise<string | undefined>;
  /** Resolves when no start is under way. */
  settled(): Promise<unknown>;
  children(): Child[];
  /** Ends all whose turn it is; `leaves` numbers of the plan, lowest first. */
  leave(turn: number): Promise<void>;
  turns(): readonly number[];
  kill(): void;
};

export function createSupervisor(
  plan: readonly Planned[],
  of: { home: string; log: Logger; say(text: string): void },
): Supervisor {
  let leaving = false;

  /** One death is one line. One that keeps dying is started every 5 s at most. */
  async function tellEnd(name: string, how: string, final: boolean): Promise<void> {
    if (leaving) return;
    const logs = join(of.home, 'logs');
    const next = final ? `and is not started again: ${await lastSaid(logs, name)}` : 'and is started again';
    of.say(`${name} ended (${how}) ${next}; see ${join(logs, `${name}.log`)}\n`);
  }
  const children = plan.map((planned) =>
    createChild(planned, {
      home: of.home,
      log: of.log,
      ended: (name, how, final) => void tellEnd(name, how, final),
    }),
  );
  return {
    start: async () => void (await Promise.all(children.map((child) => child.start()))),
    async replace() {
      for (const child of [...children].sort((a, b) => a.planned.upgrades - b.planned.upgrades)) {
        if (leaving) return undefined;
        const startedAt = Date.now();
        await child.replace(GRACE_MS);
        const socket = child.planned.environment.OPENTACT_HEALTH;
        const isReady = child.planned.shown || (await readyWithin(socket!, READY_MS_MAX));
        const tookMs = Date.now() - startedAt;
        of.log.info({ child: child.planned.name, isReady, tookMs }, 'replaced');
        of.say(
          `${child.planned.name} is replaced${isReady ? '' : ', but not ready'} (${(tookMs / 1000).toFixed(1)} s)\n`,
        );
        if (!isReady) return child.planned.name;
        if (!child.planned.shown) await sleep(SETTLE_MS);
      }
      for (const stranger of await strangersOf(of.home, plan)) {
        if (leaving) return undefined;
        await endStranger(stranger, of, GRACE_MS);
        of.say(`${stranger.name} has left\n`);
        await sleep(SETTLE_MS);
      }
      return undefined;
    },
    settled: () => Promise.allSettled(children.map((child) => child.settled())),
    children: () => children,
    async leave(turn) {
      leaving = true;
      for (const stranger of await strangersOf(of.home, plan))
        if (leavesOf(stranger.name) === turn) await endStranger(stranger, of, GRACE_MS);
      // One after the other: the first of a pair hands its calls to the second, which ends them.
      for (const child of children) if (child.planned.leaves === turn) await child.stop(GRACE_MS);
    },
    turns: () => TURNS,
    kill() {
      for (const child of children) child.kill();
    },
  };
}

/** Waits until the process behind a health socket says that it is ready. */
async function readyWithin(socketPath: string, ms: number): Promise<boolean> {
  for (const until = Date.now() + ms; Date.now() < until; await sleep(100))
    if (await ask({ socketPath, timeout: 2000 }).then((found) => found?.ready)) return true;
  return false;
}

/** What the installation says about itself; undefined where it doesn't answer. */
export function askReady(config: Pick<Config, 'bind' | 'httpPort'>): Promise<Readiness | undefined> {
  const host = isWildcard(config.bind) ? '127.0.0.1' : config.bind;
  return ask({ host, port: config.httpPort, timeout: 4000 });
}

function ask(where: RequestOptions): Promise<Readiness | undefined> {
  return new Promise((done) => {
    const asking = request({ ...where, path: '/ready' }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      try {
        done(JSON.parse(body));
      } catch {
        done(undefined);
      }
    });
    asking.on('error', () => done(undefined)).on('timeout', () => asking.destroy());
    asking.end();
  });
}
