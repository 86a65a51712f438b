/** The link between nodes and engines: facts up, asks down, bytes by key. Knows no call. */
export { createEngineLink, type EngineLinkOptions } from './engine.ts';
export { GoneError } from './fact-store.ts';
export { createLocalEngines, type LocalEngines } from './local.ts';
export { createNodeLink, type NodeLinkOptions } from './node.ts';
export * from './port.ts';
export { AwayError, type Holder } from './questions.ts';
export type { NodeStart } from './start.ts';
