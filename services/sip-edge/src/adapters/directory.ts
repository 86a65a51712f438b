// The Directory over gRPC, remembered: an answer is fresh for seconds and served stale while the Directory is away.
// A staged document's address is never remembered, since it may be dialled only once. What changes in the Directory is
// known here two seconds later at most.

import { isIP } from 'node:net';
import { type ChannelCredentials, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS, createCache, retry } from '@opentact/runtime';
import {
  type Account,
  type Directory,
  DirectoryAway,
  type Location,
  type Route,
  type RouteQuestion,
  type Trunk,
} from '../edge/port.ts';

const DEADLINE_MS = 1_500;
const FRESH_MS = 5_000;
/** Whom a number lets call, and where it leads, changes at once for whoever changes it: with the Directory's own second, two. */
const ROUTE_FRESH_MS = 1_000;
const STALE_MS = 24 * 60 * 60_000;
const PATIENCE_MS = 300;
const ENTRIES_MAX = 50_000;
const STAGED = /^doc-/;

/** Boxed, so that "nobody" can be remembered like any other answer. */
type Remembered<T> = { readonly answer: T | undefined };

export type GrpcDirectory = Directory & { close(): void };

/** @param address as grpc-js takes it, for example `unix:/run/directory.grpc`. */
export function grpcDirectory(
  address: string,
  token: string | undefined,
  channel: ChannelCredentials = credentials.createInsecure(),
): GrpcDirectory {
  const client = new DirectoryV1.DirectoryClient(address, channel, CHANNEL_OPTIONS);
  const metadata = bearer(token);
  const limits = { max: ENTRIES_MAX, freshMs: FRESH_MS, staleMs: STALE_MS, patienceMs: PATIENCE_MS };
  /** Latest answer about an address: what there is while the Directory is away, and for every caller where it says so. */
  const addresses = new Map<string, { route: Route; at: number }>();
  const options = () => ({ deadline: Date.now() + DEADLINE_MS });

  function ask(question: RouteQuestion): Promise<Remembered<Route>> {
    return answered((done) => client.route(question, metadata, options(), done));
  }
  const routes = createCache<Remembered<Route>>({ ...limits, freshMs: ROUTE_FRESH_MS }, async (key) => {
    const question = JSON.parse(key) as RouteQuestion;
    try {
      const remembered = await ask(question);
      if (remembered.answer && remembered.answer.refusal === undefined)
        remember(addressOf(question), remembered.answer);
      return remembered;
    } catch (error) {
      // Its screening of this caller is not known, but whose number it is has not changed.
      const known = addresses.get(addressOf(question));
      if (error instanceof DirectoryAway && known) return { answer: known.route };
      throw error;
    }
  });
  const trunks = createCache<Remembered<Trunk>>(limits, (trunk) =>
    answered((done) => client.trunk({ trunk }, metadata, options(), done)),
  );

  const accounts = createCache<Remembered<Account>>(limits, (accountId) =>
    answered((done) => client.account({ accountId }, metadata, options(), done)),
  );
  const places = createCache<Remembered<Location>>(limits, (number) =>
    answered((done) => client.locate({ number }, metadata, options(), done)),
  );
  const groups = createCache<Remembered<DirectoryV1.GroupResponse>>(limits, (key) => {
    const [accountId = '', group = ''] = key.split('/');
    return answered((done) => client.group({ accountId, group }, metadata, options(), done));
  });

  function remember(address: string, route: Route): void {
    addresses.delete(address);
    addresses.set(address, { route, at: performance.now() });
    if (addresses.size > ENTRIES_MAX) addresses.delete(addresses.keys().next().value!);
  }

  return {
    async route(question) {
      if (STAGED.test(question.user)) return (await ask(question)).answer;
      const asked = { ...question, ...placeOf(question), callId: '' };
      const known = addresses.get(addressOf(asked));
      if (known?.route.forEveryCaller && performance.now() - known.at < ROUTE_FRESH_MS) return known.route;
      return (await routes.get(JSON.stringify(asked))).answer;
    },
    trunk: async (trunk) => (await trunks.get(trunk)).answer,
    account: async (accountId) => (await accounts.get(accountId)).answer,
    locate: async (number) => (await places.get(number)).answer,
    group: async (group, accountId) => (await groups.get(`${accountId}/${group}`)).answer?.targets,
    // Not yet granted, a leg isn't dialled: the Directory is given a little time to come back.
    reserve: (of) =>
      retry(
        async () => {
          const { answer } = await answered<DirectoryV1.ReserveResponse>((done) =>
            client.reserve(of, metadata, options(), done),
          );
          return answer ? answer.refusal || undefined : 'rate';
        },
        { tries: 3, firstMs: 200, maxMs: 500 },
      ),
    close: () => client.close(),
  };
}

/**
 * What an answer depends on beside the user and the caller. At a numeric host (ours) a number is whose it is wherever the
 * call came from; at a domain's name it may matter which machine calls.
 */
function placeOf({ host, sourceAddress }: RouteQuestion): { host: string; sourceAddress: string } {
  if (isIP(host.replace(/^\[|\]$/g, ''))) return { host: '', sourceAddress: '' };
  return { host, sourceAddress: sourceAddress.replace(/:\d+$/, '') };
}

const addressOf = ({ user, host, sourceAddress }: RouteQuestion) => `${user}@${host}/${sourceAddress}`;

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
