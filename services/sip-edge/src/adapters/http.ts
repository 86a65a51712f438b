// What the edge's process answers over HTTP beside /health and /ready: the SIP messages of a call at GET /calls/<id>/sip.
// On loopback or a socket file of its own user's only.

import type { HttpAnswer } from '@opentact/runtime';
import type { TracedMessage } from '../edge/trace.ts';

const CALL_PATH = /^\/calls\/([0-9a-f-]{36})\/sip$/;

/** @param messages what is kept of a call; undefined: nothing. */
export function answerMessages(messages: (callId: string) => TracedMessage[] | undefined): HttpAnswer {
  return (request, response) => {
    const say = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    const callId = request.method === 'GET' ? CALL_PATH.exec(request.url ?? '')?.[1] : undefined;
    if (callId === undefined) return false;
    // Any leg's uuid finds its call: the leg number stands in the low 16 bits.
    const found = messages(`${callId.slice(0, -4)}0000`);
    if (found) say(200, { callId, messages: found });
    else say(404, { error: 'no messages of this call are kept here' });
    return true;
  };
}
