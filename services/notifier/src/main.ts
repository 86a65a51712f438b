/** A process of one notifier. */
import { openLog } from '@opentact/event-log';
import { configOrExit, runServices } from '@opentact/runtime';
import { startNotifier } from './start.ts';

const config = configOrExit('notifier', process.env, process.argv.slice(2));
const events = await openLog(config);
const start = () => startNotifier({ config, name: config.nodeName, events });
await runServices({ kind: 'notifier', config, services: { notifier: start }, close: () => events.close() });
