/** The Directory over gRPC. A fault behind it is UNAVAILABLE, without details; the log has them. */
import { type Server, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import type { Directory } from './directory.ts';
import { DirectoryError } from './error.ts';

/** Adds the service to a server. */
export function addDirectory(server: Server, directory: Directory, log: Logger): void {
  const unary =
    <Q, A>(name: string, answer: (request: Q) => Promise<A>) =>
    (call: ServerUnaryCall<Q, A>, done: sendUnaryData<A>): void => {
      answer(call.request).then(
        (value) => done(null, value),
        (err) => {
          if (err instanceof DirectoryError) return done({ code: status[err.code], details: err.message });
          log.error({ err, question: name }, 'the Directory could not answer');
          return done({ code: status.UNAVAILABLE, details: 'the Directory has no answer now' });
        },
      );
    };
  server.addService(DirectoryV1.DirectoryService, {
    route: unary('Route', directory.route),
    account: unary('Account', ({ accountId }: DirectoryV1.AccountRequest) => directory.account(accountId)),
    trunk: unary('Trunk', ({ trunk }: DirectoryV1.TrunkRequest) => directory.trunk(trunk)),
    stage: unary('Stage', directory.stage),
    signingKey: unary('SigningKey', async ({ appId }: DirectoryV1.SigningKeyRequest) => ({
      key: await directory.signingKey(appId),
    })),
    locate: unary('Locate', directory.locate),
    group: unary('Group', directory.group),
    reserve: unary('Reserve', directory.reserve),
    reach: unary('Reach', directory.reach),
    pastCall: unary('PastCall', ({ callId }: DirectoryV1.PastCallRequest) => directory.pastCall(callId)),
    story: unary('Story', directory.story),
  });
}
