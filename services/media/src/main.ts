// A process of the media service. `--workers N`: threads that hold legs, 1 by default.
import { openLog } from '@opentact/event-log';
import { configOrExit, runServices } from '@opentact/runtime';
import { startMedia } from './start.ts';

const args = process.argv.slice(2);
const config = configOrExit('media', process.env, args);
const events = await openLog(config);
const workers = Number(args[args.indexOf('--workers') + 1]) || 1;
const start = () => startMedia({ config, name: config.nodeName, events, workers });
await runServices({ kind: 'media', config, services: { media: start }, close: () => events.close() });
