// A process of one SIP edge.

import { openLog } from '@opentact/event-log';
import { configOrExit, runServices } from '@opentact/runtime';
import { startEdge } from './start.ts';

const config = configOrExit('sip-edge', process.env, process.argv.slice(2));
const events = await openLog(config);
const start = () => startEdge({ config, name: config.nodeName, events });
await runServices({ kind: 'sip-edge', config, services: { 'sip-edge': start }, close: () => events.close() });
