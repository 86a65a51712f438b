/** Starts the processes of a plan, tells what becomes of them, and makes them leave in order. */
import { request } from 'node:http';
import { join } from 'node:path';
import type { Config, Logger, Readiness } from '@opentact/runtime';
import { isWildcard } from '@opentact/runtime';
import { type Child, createChild } from './child.ts';
import { lastLines } from './log-files.ts';
import type { Planned } from './plan.ts';

/** How long a process may take to leave before it is killed. */
const GRACE_MS = 8000;
/** The same news about one process is told again only after this long. */
const TELL_AGAIN_MS = 10_000;

export type Supervisor = {
  start(): Promise<void>;
  children(): Child[];
  /** Ends all whose turn it is; `leaves` numbers of the plan, lowest first. */
  leave(turn: number): Promise<void>;
  turns(): number[];
  kill(): void;
};

export function createSupervisor(
  plan: readonly Planned[],
  of: { home: string; log: Logger; say(text: string): void },
): Supervisor {
  const toldAt = new Map<string, number>();
  let leaving = false;

  async function tellEnd(name: string, how: string, final: boolean): Promise<void> {
    if (leaving || (!final && Date.now() - (toldAt.get(name) ?? 0) < TELL_AGAIN_MS)) return;
    toldAt.set(name, Date.now());
    const lines = final ? await lastLines(join(of.home, 'logs'), name, 5) : [];
    const next = final ? 'and is not started again' : 'and is started again';
    of.say(`${name} ended (${how}) ${next}; see ${join(of.home, 'logs', `${name}.log`)}\n`);
    for (const line of lines) of.say(`  ${line}\n`);
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
    children: () => children,
    async leave(turn) {
      leaving = true;
      await Promise.all(children.filter((c) => c.planned.leaves === turn).map((child) => child.stop(GRACE_MS)));
    },
    turns: () => [...new Set(plan.map(({ leaves }) => leaves))].sort((a, b) => a - b),
    kill() {
      for (const child of children) child.kill();
    },
  };
}

/** What the installation says about itself; undefined where it doesn't answer. */
export function askReady(config: Pick<Config, 'bind' | 'httpPort'>): Promise<Readiness | undefined> {
  const host = isWildcard(config.bind) ? '127.0.0.1' : config.bind;
  return new Promise((done) => {
    const asking = request({ host, port: config.httpPort, path: '/ready', timeout: 4000 }, async (response) => {
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
