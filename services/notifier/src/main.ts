/** A process of one notifier. */
import { openLog } from '@opentact/event-log';
import { configOrExit, createLogger, runServices } from '@opentact/runtime';
import { startNotifier } from './start.ts';

const config = configOrExit('notifier', process.env, process.argv.slice(2));
const logger = createLogger({ service: 'notifier', node: config.nodeName, boot: '', level: config.logLevel });
const events = await openLog(config);
const start = () => startNotifier({ config, name: config.nodeName, events });
await runServices({ config, logger, services: { notifier: start }, close: () => events.close() });
