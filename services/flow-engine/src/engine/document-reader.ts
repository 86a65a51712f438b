/**
 * Has documents read on a thread of their own, before the facts that bring them are learned, and remembers what they
 * said, so that `step` finds the parse at once. What could not be read in time is remembered too, and is not tried again.
 */
import { JobFailed, JobThread } from '@opentact/runtime';
import type { Parse, Parsed } from '../domain/language/parse.ts';
import { parseDocument } from '../xml/document.ts';
import { DOCUMENT_BYTES_MAX } from '../xml/read-xml.ts';

/** The largest document takes some 50 ms; one that takes so long is a defect of ours, and only its call's loss. */
const DEADLINE_MS = 2_000;
const WAITING_MAX = 512;
/** A customer's documents that may wait; others are read in between. */
const WAITING_PER_ACCOUNT_MAX = 64;
/** What is remembered of documents, in characters of theirs; of those that nobody has run yet, so many times as much. */
const CHARS_MAX = 4 * 1024 * 1024;
const UNUSED_SHARE = 4;
const LATE: Parsed = { ok: false, reason: `the document could not be read in ${DEADLINE_MS} ms`, line: 1, column: 1 };
const BUSY: Parsed = { ok: false, reason: 'too many documents wait to be read; try again', line: 1, column: 1 };

export type DocumentReader = {
  /** Undefined where the parse is known; else it is once the promise resolves. It never rejects. */
  read(xml: string, account: string): Promise<void> | undefined;
  /** What a document says. One that was forgotten meanwhile is read here and now. */
  parse: Parse;
  close(): Promise<void>;
};

type Thread = Pick<JobThread<string, Parsed>, 'run' | 'close'>;

/** @param thread reads one document; another is given by tests only. */
export function createDocumentReader(thread: Thread = startThread()): DocumentReader {
  const known = new Map<string, Parsed>();
  /** Those that no call has run since they were read: forgotten now, they would be read again on this thread. */
  const unused = new Set<string>();
  const reading = new Map<string, Promise<void>>();
  let chars = 0;

  function remember(xml: string, parsed: Parsed): void {
    if (known.get(xml) === BUSY) forget(xml);
    if (known.has(xml)) return;
    known.set(xml, parsed);
    unused.add(xml);
    chars += xml.length;
    if (chars <= CHARS_MAX) return;
    for (const [oldest] of known) {
      if (chars <= CHARS_MAX || oldest === xml) break;
      if (!unused.has(oldest) || chars > UNUSED_SHARE * CHARS_MAX) forget(oldest);
    }
  }

  function forget(xml: string): void {
    unused.delete(xml);
    if (known.delete(xml)) chars -= xml.length;
  }

  async function readNow(xml: string, account: string, job: string): Promise<void> {
    try {
      remember(xml, await thread.run(xml, account));
    } catch (error) {
      // A thread that broke over a document breaks over it again.
      remember(xml, error instanceof JobFailed && error.why === 'full' ? BUSY : LATE);
    } finally {
      reading.delete(job);
    }
  }

  return {
    read(xml, account) {
      const parsed = known.get(xml);
      if (parsed === BUSY) forget(xml);
      else if (parsed || isTooLarge(xml)) return undefined;
      // An account that brought too many is refused alone, whoever else brings the same.
      const job = `${account}\n${xml}`;
      const begun = reading.get(job) ?? readNow(xml, account, job);
      reading.set(job, begun);
      return begun;
    },
    parse(xml) {
      const parsed = known.get(xml) ?? parseDocument(xml);
      unused.delete(xml);
      if (known.delete(xml)) known.set(xml, parsed); // the most recently used is the last to be forgotten
      return parsed;
    },
    close: () => thread.close(),
  };
}

/** Warm, since starting it takes longer than a caller should wait. */
function startThread(): Thread {
  const script = new URL('./document-thread.ts', import.meta.url);
  const bounds = { deadlineMs: DEADLINE_MS, waitingMax: WAITING_MAX, waitingPerSourceMax: WAITING_PER_ACCOUNT_MAX };
  const thread = new JobThread<string, Parsed>(script, bounds);
  thread.warm();
  return thread;
}

/** It is refused by its size alone, which takes no time. */
const isTooLarge = (xml: string) => xml.length > DOCUMENT_BYTES_MAX;
