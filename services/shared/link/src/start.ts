/** What a service of this process is started with, be it alone there or one of several. */
import type { EventLog } from '@opentact/event-log';
import type { Config } from '@opentact/runtime';
import type { LocalEngines } from './local.ts';

export type NodeStart = {
  config: Config;
  /** Name of this node in the registry. */
  name: string;
  events: EventLog;
  /** Where engines of this process are found; undefined where it has one service alone. */
  local?: LocalEngines;
};
