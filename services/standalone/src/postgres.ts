/** Our own PostgreSQL, kept running: one that died is started again, and the services reconnect by themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedPostgres, embeddedPostgres } from '@opentact/event-log';
import { backoffMs, type Logger } from '@opentact/runtime';

/** `url`: of one of its databases. */
type Kept = { url(database: string): string; stop(): Promise<void> };

const LOOK_EVERY_MS = 200;
const RESTART = { firstMs: 200, maxMs: 5000 };

/** @param signal aborted when it is to be left alone */
export async function keepPostgres(
  of: { home: string; databases: string[]; log: Logger; say(text: string): void },
  signal: AbortSignal,
): Promise<Kept> {
  const { home, databases, log, say } = of;
  let server: EmbeddedPostgres = await embeddedPostgres({ home, databases });
  let reviving: Promise<void> | undefined;
  log.info({ childPid: server.pid, adopted: server.adopted }, 'PostgreSQL runs');
  /** One death is told once, however many tries it takes. */
  async function revive(): Promise<void> {
    log.error('PostgreSQL died');
    say('PostgreSQL died and is started again\n');
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        server = await embeddedPostgres({ home, databases });
        return;
      } catch (err) {
        log.error({ err, failures }, 'PostgreSQL not started');
        await sleep(backoffMs(failures, RESTART));
      }
    }
  }
  void (async () => {
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS);
      if (server.alive() || signal.aborted) continue;
      reviving = revive();
      await reviving;
    }
  })();
  return {
    url: (database) => server.url(database),
    async stop() {
      await reviving;
      await server.stop();
    },
  };
}
