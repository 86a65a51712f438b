// The last SIP messages of each call, for `npm run call -- --sip`. Bounded per call and in all; credentials never enter.

export type TracedMessage = { at: number; direction: 'in' | 'out'; peer: string; text: string };

export const MESSAGES_PER_CALL_MAX = 64;
export const CALLS_MAX = 4_000;
/** The first messages tell how a call began and are never overwritten. */
const KEPT_FIRST = 16;
const TEXT_CHARS_MAX = 8_192;

export type Trace = {
  /** From now on messages of this SIP Call-ID belong to that call. */
  open(callId: string, sipCallId: string): void;
  note(sipCallId: string, direction: 'in' | 'out', peer: string, bytes: Buffer, at: number): void;
  messages(callId: string): TracedMessage[] | undefined;
};

type Noted = { at: number; direction: 'in' | 'out'; peer: string; bytes: Buffer };

export function createTrace(): Trace {
  const calls = new Map<string, { noted: Noted[]; sipCallIds: string[] }>();
  const owners = new Map<string, string>();

  function evict(): void {
    for (const [callId, { sipCallIds }] of calls) {
      if (calls.size <= CALLS_MAX) return;
      calls.delete(callId);
      for (const sipCallId of sipCallIds) owners.delete(sipCallId);
    }
  }

  return {
    open(callId, sipCallId) {
      let call = calls.get(callId);
      if (!call) {
        call = { noted: [], sipCallIds: [] };
        calls.set(callId, call);
        evict();
      }
      if (!owners.has(sipCallId)) call.sipCallIds.push(sipCallId);
      owners.set(sipCallId, callId);
    },
    note(sipCallId, direction, peer, bytes, at) {
      const call = calls.get(owners.get(sipCallId) ?? '');
      if (!call) return;
      if (call.noted.length >= MESSAGES_PER_CALL_MAX) call.noted.splice(KEPT_FIRST, 1);
      call.noted.push({ at, direction, peer, bytes: masked(bytes) });
    },
    messages(callId) {
      return calls
        .get(callId)
        ?.noted.map(({ at, direction, peer, bytes }) => ({ at, direction, peer, text: textOf(bytes) }));
    },
  };
}

/** Credentials are cut out before the message is kept; the scheme alone stays. */
function masked(bytes: Buffer): Buffer {
  if (!/authorization|^[aA]\s*:/im.test(headOf(bytes))) return bytes;
  const text = bytes
    .toString('latin1')
    .replace(/^((?:proxy-)?authorization\s*:\s*\S+)[^\r]*(?:\r\n[ \t][^\r]*)*/gim, '$1 ***');
  return Buffer.from(text, 'latin1');
}

function headOf(bytes: Buffer): string {
  const end = bytes.indexOf('\r\n\r\n', 0, 'latin1');
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}

function textOf(bytes: Buffer): string {
  return bytes.subarray(0, TEXT_CHARS_MAX).toString('utf8');
}
