/** The thread that reads documents, so that none, however it was made, holds up the thread that carries calls. */
import { parentPort } from 'node:worker_threads';
import type { JobAnswer } from '@opentact/runtime';
import type { Parsed } from '../domain/language/parse.ts';
import { parseDocument } from '../xml/document.ts';

parentPort?.on('message', (xml: string) => {
  parentPort?.postMessage({ ok: true, result: parseDocument(xml) } satisfies JobAnswer<Parsed>);
});
