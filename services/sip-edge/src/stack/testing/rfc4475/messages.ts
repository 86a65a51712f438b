// All 49 messages of RFC 4475 by name, as bytes, and where their byte-for-byte copies may lie on this machine.

import { fileURLToPath } from 'node:url';
import { INVALID } from './invalid.ts';
import { SEMANTIC } from './semantic.ts';
import { VALID } from './valid.ts';
import { VALID_LONG } from './valid-long.ts';

export const TORTURE = { ...VALID, ...VALID_LONG, ...INVALID, ...SEMANTIC };

export type TortureName = keyof typeof TORTURE;

export const TORTURE_NAMES = Object.keys(TORTURE) as TortureName[];

export function tortureBytes(name: TortureName): Buffer {
  return Buffer.from(TORTURE[name], 'latin1');
}

/** Beside the clone; where it is absent only the comparison is skipped. */
export const REFERENCE = fileURLToPath(new URL('../../../../../../../shared/reference/rfc4475/', import.meta.url));
