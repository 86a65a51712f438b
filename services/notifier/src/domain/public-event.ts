/** What customers are told, before it becomes an envelope. Types only. */

/** An envelope but for its id, its account and its times, which follow from `callId`, `seq`, `index` and `at`. */
export type PublicEvent = {
  type: 'call_state' | 'call_flow' | 'call_record' | 'call_transcript';
  callId: string;
  account: string;
  /** Of the journal event that it tells; `index` counts 0, 1 … where one event makes several. */
  seq: number;
  index: number;
  at: number;
  message: string;
  payload: Record<string, unknown>;
  call: Record<string, unknown>;
  callFlow?: Record<string, unknown>;
};

/** What an event says of a leg, beside the leg itself. */
export type Draft = Pick<PublicEvent, 'type' | 'message' | 'payload' | 'callFlow'>;
