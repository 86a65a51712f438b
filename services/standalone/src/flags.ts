/** What `npm start` takes on its command line. What a flag says, the processes are told by the environment, like everything else. */
import { parseArgs } from 'node:util';
import type { Environment } from '@opentact/runtime';

export const HELP = `npm start [-- --quiet] [--shape cells|services] [--small] [--kafka HOST:PORT[,…]] [--replace [--change]]

Runs everything on this machine. --quiet: no stories of live calls.
--shape: cells (engine, notifier, media and edge in one process, twice) or services (each a process, twice).
--small: one cell, for a small machine; after its death a call waits until it is started again.
--kafka: the journal is kept there (OPENTACT_LOG=kafka, KAFKA_BROKERS); api keeps its PostgreSQL.
--replace: takes over from the one that runs for this home, process by process; calls go on. For an upgrade,
  from the new version's clone: OPENTACT_HOME=<the old one's> npm start -- --replace
  What isn't set is as the home was started; what is set otherwise is refused, unless --change says it is meant.
  Another shape is no such difference: calls go on from one to the other.
`;

const OPTIONS = {
  help: { type: 'boolean' },
  quiet: { type: 'boolean', default: false },
  replace: { type: 'boolean', default: false },
  change: { type: 'boolean', default: false },
  small: { type: 'boolean' },
  shape: { type: 'string' },
  kafka: { type: 'string' },
} as const;

export type Flags = { help: boolean; quiet: boolean; replace: boolean; change: boolean; environment: Environment };

/** @throws Error with a sentence for a person */
export function readFlags(args: string[]): Flags {
  const { help = false, quiet, replace, change, small, shape, kafka } = parseArgs({ args, options: OPTIONS }).values;
  if (change && !replace) throw new Error('--change goes with --replace');
  if (kafka === '') throw new Error('--kafka needs HOST:PORT of a broker');
  const environment = {
    ...(kafka && { OPENTACT_LOG: 'kafka', KAFKA_BROKERS: kafka }),
    ...(small && { OPENTACT_SHAPE: 'cells', OPENTACT_CELLS: '1' }),
    ...(shape && { OPENTACT_SHAPE: shape }),
  };
  return { help, quiet, replace, change, environment };
}
