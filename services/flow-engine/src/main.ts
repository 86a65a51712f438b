/** A process of one flow-engine. */
import { openLog } from '@opentact/event-log';
import { configOrExit, runServices } from '@opentact/runtime';
import { startEngine } from './start.ts';

const config = configOrExit('flow-engine', process.env, process.argv.slice(2));
const log = await openLog(config);
const start = () => startEngine({ config, name: config.nodeName, events: log });
await runServices({ kind: 'flow-engine', config, services: { 'flow-engine': start }, close: () => log.close() });
