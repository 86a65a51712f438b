/**
 * Which operations change nothing. By how they are asked, but for those with an effect that a test shows: some GETs mail, charge or
 * let in. cross-account.test.ts asks each of them and finds every row and file as it was.
 */
import { EFFECTS } from './notes.ts';

const READS = /^(GET \/.*|POST \/.*\/(search|logs|price))$/;

/** @param of.name its operationId */
export const isReading = ({ method, path, name }: { method: string; path: string; name: string }): boolean =>
  READS.test(`${method} ${path}`) && !Object.hasOwn(EFFECTS, name);
