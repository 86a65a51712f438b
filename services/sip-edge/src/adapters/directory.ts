// The Directory over gRPC, remembered. What changes in it is known here two seconds later at most.

import { type ChannelCredentials, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS, retry } from '@opentact/runtime';
import {
  type Account,
  type Directory,
  DirectoryAway,
  type Location,
  type Permission,
  type Reached,
  type Route,
  type Trunk,
} from '../edge/port.ts';
import { LIMITS, memoryOf, type Remembered } from './remembered.ts';
import { rememberedRoutes } from './remembered-routes.ts';

const DEADLINE_MS = 1_500;

export type GrpcDirectory = Directory & { close(): void };

/** @param address as grpc-js takes it, for example `unix:/run/directory.grpc`. */
export function grpcDirectory(
  address: string,
  token: string | undefined,
  channel: ChannelCredentials = credentials.createInsecure(),
): GrpcDirectory {
  const client = new DirectoryV1.DirectoryClient(address, channel, CHANNEL_OPTIONS);
  const metadata = bearer(token);
  const options = () => ({ deadline: Date.now() + DEADLINE_MS });
  const routes = rememberedRoutes((question) =>
    answered<Route>((done) => client.route(question, metadata, options(), done)),
  );
  const trunks = memoryOf<Trunk>(LIMITS, (trunk) =>
    answered((done) => client.trunk({ trunk }, metadata, options(), done)),
  );
  const accounts = memoryOf<Account>(LIMITS, (accountId) =>
    answered((done) => client.account({ accountId }, metadata, options(), done)),
  );
  const places = memoryOf<Location>(LIMITS, (number) =>
    answered((done) => client.locate({ number }, metadata, options(), done)),
  );
  const groups = memoryOf<DirectoryV1.GroupResponse>(LIMITS, (key) => {
    const [accountId = '', group = ''] = key.split('/');
    return answered((done) => client.group({ accountId, group }, metadata, options(), done));
  });
  const reaches = memoryOf<Reached>(LIMITS, async (key) => {
    const { answer } = await answered<DirectoryV1.ReachResponse>((done) =>
      client.reach(JSON.parse(key), metadata, options(), done),
    );
    return { answer: answer && { ...permission(answer), ...(answer.trunk && { trunk: answer.trunk }) } };
  });
  const reserve: Directory['reserve'] = async (of) => {
    const { answer } = await answered<DirectoryV1.ReserveResponse>((done) =>
      client.reserve(of, metadata, options(), done),
    );
    return answer ? permission(answer) : { refusal: 'rate' };
  };
  return {
    ...routes,
    trunk: async (trunk) => (await trunks.get(trunk)).answer,
    account: async (accountId) => (await accounts.get(accountId)).answer,
    locate: async (number) => (await places.get(number)).answer,
    group: async (group, accountId) => (await groups.get(`${accountId}/${group}`)).answer?.targets,
    // Not yet granted, a leg isn't dialled: the Directory is given a little time to come back.
    reserve: (of) => retry(() => reserve(of), { tries: 3, firstMs: 200, maxMs: 500 }),
    reach: async (of) => (await reaches.get(JSON.stringify(of))).answer ?? { refusal: 'refused-address' },
    close: () => client.close(),
  };
}

const permission = ({ refusal, shown }: { refusal: string; shown?: string | undefined }): Permission => ({
  ...(refusal && { refusal }),
  ...(shown !== undefined && { shown }),
});

/** NOT_FOUND and an argument that can't be one are answers; everything else means that there is none. */
function answered<T>(call: (done: (error: ServiceError | null, value: T) => void) => unknown): Promise<Remembered<T>> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (!error) resolve({ answer: value });
      else if (error.code === status.NOT_FOUND || error.code === status.INVALID_ARGUMENT)
        resolve({ answer: undefined });
      else reject(new DirectoryAway('the Directory has no answer', { cause: error }));
    });
  });
}
