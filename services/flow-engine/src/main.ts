/** A process of one flow-engine. */
import { openLog } from '@opentact/event-log';
import { configOrExit, createLogger, runServices } from '@opentact/runtime';
import { startEngine } from './start.ts';

const config = configOrExit('flow-engine', process.env, process.argv.slice(2));
const logger = createLogger({ service: 'flow-engine', node: config.nodeName, boot: '', level: config.logLevel });
const log = await openLog(config);
const start = () => startEngine({ config, name: config.nodeName, log });
await runServices({ config, logger, services: { 'flow-engine': start }, close: () => log.close() });
