// What every transaction may ask of the shell around it. The shell does these in their order; it decides nothing.

import type { SipRequest, SipResponse } from '../message/message.ts';
import type { TimerName } from './timers.ts';

export type Output =
  /** Put these bytes on the wire, to where the transaction's messages go. */
  | { type: 'transmit'; bytes: Buffer }
  /** Start or restart a timer. */
  | { type: 'start'; timer: TimerName; ms: number }
  | { type: 'stop'; timer: TimerName }
  /** A response the user of the transaction must see. */
  | { type: 'response'; response: SipResponse }
  /** The ACK of a 2xx, or a CANCEL that came before any final answer. */
  | { type: 'ack'; request: SipRequest }
  | { type: 'cancelled'; request: SipRequest }
  /** The ACK of a refusal arrived: the caller knows. */
  | { type: 'confirmed' }
  /** A final answer was already given: what was asked to be sent was not. */
  | { type: 'too-late' }
  /** Nobody answered in 64·T1, or the transport failed. */
  | { type: 'timeout' }
  | { type: 'transport-failed' }
  /** The transaction is over; its timers die with it. */
  | { type: 'terminated' };

export type Step<S> = { state: S; outputs: Output[] };
