// Runs a 2xx of ours until its ACK (stack/dialog/answer.ts): repeats it, and says when the caller is gone.

import { type AnswerInput, type AnswerOutput, answerSent, answerTransition } from '../stack/dialog/answer.ts';
import type { ServerTransaction } from '../stack/transaction/server.ts';
import type { Unconfirmed } from './call.ts';
import type { Context } from './context.ts';

export type Outcome = { confirmed(sdp: string): void; noAck(): void };

/** `bytes` were sent once, by the server transaction. */
export function awaitAck(context: Context, server: ServerTransaction, bytes: Buffer, outcome: Outcome): Unconfirmed {
  const first = answerSent(bytes);
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
