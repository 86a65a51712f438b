/**
 * The quick part of the matrix (`npm run failure` runs all of it): each thing that can die, at the moments that ask most
 * of it, on postgres and on a real Kafka.
 */
import { type TestContext, test } from 'node:test';
import { startPlatform } from '../kit/platform.ts';
import { runCell } from './matrix/cell.ts';
import { closeStage, openStage, SITUATIONS } from './matrix/situations.ts';
import { VICTIMS } from './matrix/victims.ts';

const BROKERS = process.env.KAFKA_BROKERS ?? '';

const QUICK = {
  cells: [
    ['cell', 'ringing'],
    ['cell', 'digits half entered'],
    ['cell', 'document in flight'],
    ['cell', 'bridged'],
    ['cell', 'hanging up'],
    ['postgres', 'digits half entered'],
  ],
  postgres: [
    ['media', 'ringing'],
    ['media', 'bridged'],
    ['sip-edge', 'dialling'],
    ['sip-edge', 'bridged'],
    ['sip-edge', 'hanging up'],
    ['postgres', 'digits half entered'],
  ],
  kafka: [
    ['flow-engine', 'digits half entered'],
    ['flow-engine', 'dialling'],
    ['media', 'digits half entered'],
    ['sip-edge', 'ringing'],
    ['notifier', 'document in flight'],
  ],
} as const;

async function run(t: TestContext, which: keyof typeof QUICK, environment: Record<string, string>): Promise<void> {
  const platform = await startPlatform(environment);
  const stage = await openStage(platform);
  t.after(async () => {
    await closeStage(stage);
    await platform.stop();
  });
  for (const [victim, situation] of QUICK[which])
    await t.test(`${victim} killed while ${situation}`, { timeout: 60_000 }, async (cell) => {
      await platform.whole();
      const { recoveredMs } = await runCell(
        stage,
        SITUATIONS.find((s) => s.name === situation)!,
        VICTIMS.find((v) => v.name === victim)!,
      );
      cell.diagnostic(`goes on after ${recoveredMs} ms`);
    });
}

test('on postgres', { timeout: 200_000 }, (t) => run(t, 'postgres', { OPENTACT_LOG: 'postgres' }));

test('in cells, on postgres', { timeout: 200_000 }, (t) =>
  run(t, 'cells', { OPENTACT_SHAPE: 'cells', OPENTACT_LOG: 'postgres' }),
);

test(
  'on Kafka',
  {
    timeout: 200_000,
    skip: BROKERS ? false : 'it needs a Kafka: KAFKA_BROKERS names one (npm test starts one)',
  },
  (t) => run(t, 'kafka', { OPENTACT_LOG: 'kafka', KAFKA_BROKERS: BROKERS }),
);
