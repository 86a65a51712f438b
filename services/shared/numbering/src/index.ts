// Numbers as they are written, and the North American numbering plan as far as it is the same for everyone. It has no table
// of exchanges.
export { REGIONS, stateOf } from './area-codes.ts';
export { writtenNumber } from './written.ts';
