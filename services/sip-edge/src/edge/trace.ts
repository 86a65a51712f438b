// The last SIP messages of each admitted call, for `npm run call -- --sip`. Bounded in bytes per call and in all, oldest
// calls first; credentials never enter.

export type TracedMessage = { at: number; direction: 'in' | 'out'; peer: string; text: string };

export const MESSAGES_PER_CALL_MAX = 64;
export const CALLS_MAX = 4_000;
export const BYTES_MAX = 32 * 1024 * 1024;
export const BYTES_PER_CALL_MAX = 128 * 1024;
const CALL_IDS_PER_CALL_MAX = 32;
/** What an entry takes beside its bytes. */
const ENTRY_BYTES = 256;
/** The first messages tell how a call began and are never overwritten. */
const KEPT_FIRST = 16;
const MESSAGE_BYTES_MAX = 8_192;

export type Trace = {
  /** From now on messages of this SIP Call-ID belong to that call. */
  open(callId: string, sipCallId: string): void;
  note(sipCallId: string, direction: 'in' | 'out', peer: string, bytes: Buffer, at: number): void;
  messages(callId: string): TracedMessage[] | undefined;
  /** What is kept, in bytes. */
  bytes(): number;
};

type Noted = { at: number; direction: 'in' | 'out'; peer: string; bytes: Buffer };

export function createTrace(): Trace {
  const calls = new Map<string, { noted: Noted[]; sipCallIds: string[]; bytes: number }>();
  let total = 0;
  const owners = new Map<string, string>();

  function evict(): void {
    for (const [callId, { sipCallIds, bytes }] of calls) {
      if (calls.size <= CALLS_MAX && total <= BYTES_MAX) return;
      calls.delete(callId);
      total -= bytes;
      for (const sipCallId of sipCallIds) owners.delete(sipCallId);
    }
  }

  return {
    open(callId, sipCallId) {
      let call = calls.get(callId);
      if (!call) {
        call = { noted: [], sipCallIds: [], bytes: 0 };
        calls.set(callId, call);
        evict();
      }
      if (!owners.has(sipCallId)) {
        if (call.sipCallIds.length === CALL_IDS_PER_CALL_MAX) return;
        call.sipCallIds.push(sipCallId);
      }
      owners.set(sipCallId, callId);
    },
    note(sipCallId, direction, peer, bytes, at) {
      const call = calls.get(owners.get(sipCallId) ?? '');
      if (!call) return;
      // A copy: what is kept must not hold the socket's buffer that it lies in.
      const kept = Buffer.from(withoutCredentials(bytes).subarray(0, MESSAGE_BYTES_MAX));
      const grow = (by: number) => {
        call.bytes += by;
        total += by;
      };
      const needed = kept.length + ENTRY_BYTES;
      while (call.noted.length >= MESSAGES_PER_CALL_MAX || call.bytes + needed > BYTES_PER_CALL_MAX) {
        const [gone] = call.noted.splice(Math.min(KEPT_FIRST, call.noted.length - 1), 1);
        if (!gone) break;
        grow(-gone.bytes.length - ENTRY_BYTES);
      }
      grow(needed);
      call.noted.push({ at, direction, peer, bytes: kept });
      evict();
    },
    bytes: () => total,
    messages(callId) {
      return calls
        .get(callId)
        ?.noted.map(({ at, direction, peer, bytes }) => ({ at, direction, peer, text: textOf(bytes) }));
    },
  };
}

/** Credentials are cut out before the message is kept; the scheme alone stays. */
export function withoutCredentials(bytes: Buffer): Buffer {
  const head = headOf(bytes);
  if (!/authorization/i.test(head)) return bytes;
  const text = head.replace(/^((?:proxy-)?authorization[ \t]*:\s*\S+)[^\r]*(?:\r\n[ \t][^\r]*)*/gim, '$1 ***');
  return Buffer.concat([Buffer.from(text, 'latin1'), bytes.subarray(head.length)]);
}

/** Up to the first empty line, those before the message aside. */
function headOf(bytes: Buffer): string {
  let start = 0;
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2;
  const end = bytes.indexOf('\r\n\r\n', start, 'latin1');
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8');
}
