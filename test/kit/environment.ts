/** What a running process of a platform was told by its environment, like everything else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Platform } from './platform.ts';

/** @param name of the process: `api`, `flow-engine-1`. @throws AssertionError where it has no such variable */
export function environmentOf(platform: Pick<Platform, 'pid'>, name: string, variable: string): string {
  const lines = readFileSync(`/proc/${platform.pid(name)}/environ`, 'utf8').split('\0');
  const found = lines.find((line) => line.startsWith(`${variable}=`));
  assert.ok(found, `${name} has no ${variable}`);
  return found.slice(variable.length + 1);
}
