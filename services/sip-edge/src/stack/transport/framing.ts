// Cuts messages out of a byte stream (RFC 3261 18.3): the body is as long as Content-Length says, in bytes.
// It refuses, for good, a stream whose next message can't be told from the last. Pure; its buffer is bounded.

import { GrammarFault } from '../message/grammar.ts';
import type { Fault } from '../message/message.ts';
import { contentLength, HEADER_BYTES_MAX, MESSAGE_BYTES_MAX, readHeaderSection } from '../message/parse.ts';

/** `waitingFor` is the whole length of the message whose headers are complete; 0 where they are not. */
export type FrameState = { readonly pending: Buffer; readonly waitingFor: number };

export type FrameStep = {
  readonly state: FrameState;
  readonly messages: readonly Buffer[];
  /** Answer it if it can be answered, then close: nothing after it can be understood. */
  readonly fault?: Fault;
  /** The peer asked whether we live (RFC 5626 4.4.1): answer one CRLF. */
  readonly ping: boolean;
};

const EMPTY = Buffer.alloc(0);

export const EMPTY_FRAME: FrameState = { pending: EMPTY, waitingFor: 0 };

/** Takes what the stream brought. A fault leaves nothing to go on with. */
export function frame(before: FrameState, chunk: Buffer): FrameStep {
  const messages: Buffer[] = [];
  let bytes = before.pending.length === 0 ? chunk : Buffer.concat([before.pending, chunk]);
  const ping = before.pending.length === 0 && chunk.length === 4 && chunk.toString('latin1') === '\r\n\r\n';
  let { waitingFor } = before;
  for (;;) {
    if (waitingFor === 0) {
      bytes = skipEmptyLines(bytes);
      const length = messageLength(bytes);
      if (typeof length !== 'number') return { state: EMPTY_FRAME, messages, fault: length, ping };
      waitingFor = length;
    }
    if (waitingFor === 0 || bytes.length < waitingFor) {
      const pending = bytes.length === 0 ? EMPTY : Buffer.from(bytes);
      return { state: { pending, waitingFor }, messages, ping };
    }
    // A copy: a message that is kept must not keep the whole chunk that it came in.
    messages.push(Buffer.from(bytes.subarray(0, waitingFor)));
    bytes = bytes.subarray(waitingFor);
    waitingFor = 0;
  }
}

/** Between messages any line ends are skipped, halves of them too: some senders count their bodies short by one. */
function skipEmptyLines(bytes: Buffer): Buffer {
  let start = 0;
  while (bytes[start] === 13 || bytes[start] === 10) start++;
  return start === 0 ? bytes : bytes.subarray(start);
}

/** Length of the message at the start of `bytes`, 0 where its headers are not complete yet, or why it has none. */
function messageLength(bytes: Buffer): number | Fault {
  if (!startsLikeSip(bytes)) return { kind: 'fault', status: 400, reason: 'This is not SIP' };
  const blank = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  if (blank < 0) {
    return bytes.length > HEADER_BYTES_MAX ? { kind: 'fault', status: 513, reason: 'Headers are too large' } : 0;
  }
  if (blank > HEADER_BYTES_MAX) return { kind: 'fault', status: 513, reason: 'Headers are too large' };
  const { method, headers, fault: unread } = readHeaderSection(bytes.toString('latin1', 0, blank));
  const fault = (status: number, reason: string): Fault => ({
    kind: 'fault',
    status,
    reason,
    headers,
    ...(method === undefined ? {} : { method }),
  });
  try {
    const length = blank + 4 + contentLength(headers);
    if (length > MESSAGE_BYTES_MAX) return fault(513, 'Message is too large');
    // Without the count, what follows may be its body or the next message: nobody can know (RFC 3261 20.14).
    const uncounted = headers.get('content-length') === undefined && headers.get('content-type') !== undefined;
    if (unread !== undefined && headers.get('content-length') === undefined) return fault(400, unread);
    return uncounted ? fault(400, 'Content-Length is missing') : length;
  } catch (error) {
    if (error instanceof GrammarFault) return fault(400, error.message);
    throw error;
  }
}

/** Whether the first line, as far as it came, could begin a message: else there is nothing to wait for. */
function startsLikeSip(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n', 0, 'latin1');
  if (end < 0) return bytes.length <= 8_192;
  const line = bytes.toString('latin1', 0, Math.min(end, 8_192));
  return / SIP\/[0-9]/i.test(line) || /^SIP\//i.test(line);
}
