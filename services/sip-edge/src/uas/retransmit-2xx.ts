// Runs a 2xx of ours until its ACK (stack/dialog/answer.ts): repeats it, and says when the caller is gone.

import type { Unconfirmed } from '../edge/call.ts';
import type { Context } from '../edge/context.ts';
import { type AnswerInput, type AnswerOutput, answerSent, answerTransition } from '../stack/dialog/answer.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';

export type Outcome = { confirmed(sdp: string): void; noAck(): void };

/** A source that never acknowledged anything may be forged: our 200 is repeated to it so often and no more. */
export const ANSWER_REPEATS_UNPROVEN = 3;

/** `bytes` were sent once, by the server transaction. */
export function retransmit2xx(
  context: Pick<Context, 'clock' | 'transactions'>,
  server: ServerTransaction,
  bytes: Buffer,
  outcome: Outcome,
): Unconfirmed {
  const isProven = context.transactions.isProven(server.arrival);
  const first = answerSent(bytes, isProven ? undefined : ANSWER_REPEATS_UNPROVEN);
  let state = first.state;
  let sdp = '';
  const timers = new Map<string, () => void>();

  function feed(input: AnswerInput): void {
    const step = answerTransition(state, input);
    state = step.state;
    for (const output of step.outputs) perform(output);
  }

  function perform(output: AnswerOutput): void {
    switch (output.type) {
      case 'transmit':
        server.transmit(output.bytes);
        return;
      case 'start':
        timers.set(
          output.timer,
          context.clock.after(output.ms, () => feed({ type: 'timer', timer: output.timer })),
        );
        return;
      case 'stop':
        for (const stop of timers.values()) stop();
        timers.clear();
        return;
      case 'confirmed':
        outcome.confirmed(sdp);
        return;
      case 'no-ack':
        outcome.noAck();
        return;
    }
  }

  for (const output of first.outputs) perform(output);
  return {
    cseq: server.request.cseq.number,
    ack(answer) {
      sdp = answer;
      feed({ type: 'ack' });
    },
    over: () => feed({ type: 'over' }),
  };
}
