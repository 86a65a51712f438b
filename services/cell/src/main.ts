/**
 * A cell: flow-engine, notifier, media and sip-edge in one process. They are the same nodes as in processes of their own,
 * with one log, one exchange with the registry, and between them no network. `--workers N`: threads of media.
 */
import { availableParallelism } from 'node:os';
import { openLog } from '@opentact/event-log';
import { createLocalEngines } from '@opentact/link';
import { configOrExit, runServices } from '@opentact/runtime';
import { startEngine } from '../../flow-engine/src/start.ts';
import { startMedia } from '../../media/src/start.ts';
import { startNotifier } from '../../notifier/src/start.ts';
import { startEdge } from '../../sip-edge/src/start.ts';

const args = process.argv.slice(2);
const config = configOrExit('cell', process.env, args);
const log = await openLog(config);
const local = createLocalEngines();
/** What each is started with. */
const as = (kind: string) => ({ config, name: `${config.nodeName}.${kind}`, events: log, local });
/** One core is left to the loops of all cells. */
const workersOfMachine = Math.max(1, Math.floor((availableParallelism() - 1) / config.cells));
const workers = Number(args[args.indexOf('--workers') + 1]) || workersOfMachine;

// Facts must find an engine until the last node is gone, and phones are heard until the edge has left: who starts last leaves first.
const services = {
  'flow-engine': () => startEngine(as('flow-engine')),
  notifier: () => startNotifier(as('notifier')),
  media: () => startMedia({ ...as('media'), workers }),
  'sip-edge': () => startEdge(as('sip-edge')),
};
await runServices({ kind: 'cell', config, services, close: () => log.close() });
