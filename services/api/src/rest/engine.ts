/** What the REST API asks of the flow engines, by their public gRPC port: any of them may answer. */
import { credentials } from '@grpc/grpc-js';
import { CallV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';
import { RestError } from './errors.ts';

const PATIENCE_MS = 3_000;

/** Says what is wrong with a document, with its place; undefined where a call could run it. @throws RestError 503 */
export function checkWith(address: string, token: string | undefined): (xml: string) => Promise<string | undefined> {
  const client = new CallV1.CallControlClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  return (xml) =>
    new Promise((done, failed) => {
      const options = { deadline: Date.now() + PATIENCE_MS };
      client.checkDocument({ xml }, bearer(token), options, (error, answer) => {
        if (error) return failed(new RestError(503, 'no flow engine can check the document now; try again'));
        const { fault } = answer!;
        done(fault && `line ${fault.line}, column ${fault.column}: ${fault.reason}`);
      });
    });
}
