/** What an engine asks api's Directory: to stage a document, and about calls that are over. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import type { PublicCall } from '@opentact/proto/call-view';
import { bearer, CHANNEL_OPTIONS } from '@opentact/runtime';

const DEADLINE_MS = 2_000;

export type Directory = {
  stage(request: DirectoryV1.StageRequest): Promise<DirectoryV1.StageResponse>;
  /** A call that is over; undefined where the call log has none of that id. Rejects where the Directory is away. */
  pastCall(callId: string): Promise<PublicCall | undefined>;
  /** A page of the story of a call that is over. Rejects where the Directory is away. */
  stored(request: DirectoryV1.StoryRequest): Promise<DirectoryV1.StoryResponse>;
  close(): void;
};

const away = (what: string) =>
  Object.assign(new Error(`${what} has no answer now; try again`), { code: status.UNAVAILABLE });

/** @param address as grpc-js takes it. @param token of the platform's own processes. */
export function openDirectory(address: string, token: string): Directory {
  const client = new DirectoryV1.DirectoryClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const asking = <T>(ask: (answer: (error: ServiceError | null, response: T) => void) => void) =>
    new Promise<T>((resolve, reject) => ask((error, response) => (error ? reject(error) : resolve(response))));
  const deadline = () => ({ deadline: Date.now() + DEADLINE_MS });
  return {
    stage: (request) => asking((answer) => client.stage(request, bearer(token), deadline(), answer)),
    async pastCall(callId) {
      try {
        const found = await asking<DirectoryV1.PastCallResponse>((answer) =>
          client.pastCall({ callId }, bearer(token), deadline(), answer),
        );
        return JSON.parse(found.view) as PublicCall;
      } catch (error) {
        if ((error as ServiceError).code === status.NOT_FOUND) return undefined;
        throw away('the call log');
      }
    },
    stored: (request) =>
      asking<DirectoryV1.StoryResponse>((answer) => client.story(request, bearer(token), deadline(), answer)).catch(
        () => {
          throw away('the store of stories');
        },
      ),
    close: () => client.close(),
  };
}
