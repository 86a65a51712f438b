/**
 * `npm run failure`: everything that can die, killed at every moment of a real call, on postgres and on Kafka, as a
 * table with the recovery time in each cell; then many kills of the owning engine on each, as a distribution.
 */
import { parseArgs } from 'node:util';
import { startCluster } from '../../kit/broker.ts';
import { machine } from '../../kit/load-average.ts';
import { type Platform, startPlatform } from '../../kit/platform.ts';
import { runCell, type Survived } from './cell.ts';
import { killMany } from './many.ts';
import { closeStage, openStage, SITUATIONS, type Stage } from './situations.ts';
import { tableOf } from './table.ts';
import { brokerOf, VICTIMS, type Victim } from './victims.ts';

const HELP = `npm run failure -- [--log postgres|kafka] [--shape cells|services] [--victim NAME] [--at WORDS] [--kills N] [--no-matrix]

  --log        one log only; default: both, one after the other
  --shape      one shape only; default: both
  --victim     one row: ${VICTIMS.map((v) => v.name).join(', ')}, broker
  --at         one column: ${SITUATIONS.map((s) => s.name).join(', ')}
  --kills      kills of the engine (in cells: the cell) that owns a call, for the distribution (100; 0: none)
  --no-matrix  the distribution only
`;

const { values } = parseArgs({
  options: {
    log: { type: 'string' },
    shape: { type: 'string' },
    victim: { type: 'string' },
    at: { type: 'string' },
    kills: { type: 'string', default: '100' },
    'no-matrix': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const say = (text: string) => void process.stdout.write(text);
const situations = SITUATIONS.filter((s) => !values.at || s.name === values.at);
let failed = 0;

async function matrix(platform: Platform, victims: Victim[], log: string): Promise<void> {
  const stage: Stage = await openStage(platform);
  const found = new Map<string, Survived | Error>();
  for (const victim of victims)
    for (const situation of situations) {
      await platform.whole(60_000);
      const startedAt = Date.now();
      const result = await runCell(stage, situation, victim).catch((error: Error) => error);
      await victim.mend?.();
      found.set(`${victim.name}/${situation.name}`, result);
      const tookS = ((Date.now() - startedAt) / 1000).toFixed(1);
      if (result instanceof Error) failed++;
      say(
        `${log}  ${victim.name}, ${situation.name}: ${result instanceof Error ? `FAILED\n${result.message}\n` : `goes on after ${result.recoveredMs} ms`} (${tookS} s)\n`,
      );
    }
  await closeStage(stage);
  say(`\n${tableOf(log, victims, situations, found)}\n`);
}

type Shape = 'cells' | 'services';

async function on(log: 'postgres' | 'kafka', shape: Shape): Promise<void> {
  const cluster = log === 'kafka' ? await startCluster(3) : undefined;
  if (cluster) say(`${cluster.how}\n`);
  const platform = await startPlatform(
    cluster
      ? { OPENTACT_SHAPE: shape, OPENTACT_LOG: 'kafka', KAFKA_BROKERS: cluster.brokers }
      : { OPENTACT_SHAPE: shape, OPENTACT_LOG: 'postgres' },
  );
  try {
    const rows = [...VICTIMS, ...(cluster ? [brokerOf(cluster)] : [])];
    const victims = rows.filter(
      (v) => v.logs.includes(log) && v.shapes.includes(shape) && (!values.victim || v.name === values.victim),
    );
    if (!values['no-matrix']) await matrix(platform, victims, `${log}, ${shape}`);
    const kills = Number(values.kills);
    if (
      kills > 0 &&
      !(await killMany(platform, { kills, log: `${log}, ${shape}`, limitMs: log === 'kafka' ? 2_000 : 1_000, say }))
    )
      failed++;
  } finally {
    await platform.stop();
    await cluster?.stop();
  }
}

say(`${machine()}\n`);
for (const log of ['postgres', 'kafka'] as const)
  for (const shape of ['cells', 'services'] as const)
    if ((!values.log || values.log === log) && (!values.shape || values.shape === shape)) await on(log, shape);
say(failed === 0 ? 'everything went on\n' : `${failed} did not go on\n`);
process.exitCode = failed === 0 ? 0 : 1;
