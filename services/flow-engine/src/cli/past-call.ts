/** The events of a past call, for the commands that look back. The journal is asked by gRPC of a running platform. */
import { credentials, status } from '@grpc/grpc-js';
import { type CallEvent, CallV1, fromMessage, readStoryFile } from '@opentact/proto';
import { addressesOf, bearer, operatorToken, readHomeConfig } from '@opentact/runtime';
import { Misused, read } from './terminal.ts';

const READ_MS = 10_000;
const EVENTS_MAX = 100_000;

/** The events of a call, from a file or from the platform that runs. @throws Misused */
export async function pastCall(subject: string): Promise<CallEvent[]> {
  if (!subject.endsWith('.story')) return journalOf(subject);
  const text = read(subject);
  try {
    return readStoryFile(text).events;
  } catch (error) {
    throw new Misused(`${subject}: ${(error as Error).message}`);
  }
}

async function journalOf(callId: string): Promise<CallEvent[]> {
  const config = readHomeConfig('flow', process.env);
  const address = addressesOf(config).grpc;
  const client = new CallV1.CallControlClient(address, credentials.createInsecure());
  const stream = client.streamCallEvents({ callId, fromSeq: 1, follow: false }, bearer(await operatorToken(config)), {
    deadline: Date.now() + READ_MS,
  });
  const events: CallEvent[] = [];
  try {
    for await (const { event } of stream as AsyncIterable<CallV1.StreamCallEventsResponse>) {
      if (event) events.push(fromMessage(event));
      if (events.length > EVENTS_MAX) throw new Misused(`${callId}: more than ${EVENTS_MAX} events`);
    }
    return events;
  } catch (error) {
    const { code, details, message } = error as { code?: number; details?: string; message: string };
    if (code === status.UNAVAILABLE)
      throw new Misused(`No platform answers at ${address}. Start one in another terminal: npm start`);
    throw new Misused(`${callId}: ${details ?? message}`);
  } finally {
    client.close();
  }
}
