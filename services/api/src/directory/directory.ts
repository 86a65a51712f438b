/**
 * Who owns a number or a domain, what serves it, where it is at home, whom a group rings, what is staged: the questions of the other
 * services, answered from the tables.
 */
import { isIP } from 'node:net';
import type { DirectoryV1 } from '@opentact/proto';
import { boundedAttribution } from '@opentact/proto/call-view';
import { createCache } from '@opentact/runtime';
import type { Database } from '../database/database.ts';
import type { Seal } from '../database/sealing/seal.ts';
import { digitsOf } from '../kernel/digits.ts';
import { isUuid } from '../kernel/uuid.ts';
import { viewOfRow } from '../logs/row.ts';
import { storyOf } from '../logs/stories.ts';
import { byNumber, type Destination, holderOf } from './destinations.ts';
import { byDomain } from './domains.ts';
import { DirectoryError } from './error.ts';
import { targetsOf } from './groups.ts';
import { knownSourcesOf } from './known-sources.ts';
import { locate } from './places.ts';
import { reach } from './reach.ts';
import { reserveLeg } from './reservations.ts';
import { listsOf, screen } from './screening.ts';
import { stage, takeStaged } from './staging.ts';
import { trunkById, trunkOf } from './trunks.ts';

const OWN_NUMBERS_MAX = 1000;
/** Every new caller is a question; what doesn't depend on the caller is read once for all who call in this time. */
const REMEMBER_MS = 1_000;
const REMEMBERED_MAX = 10_000;
const REMEMBERED_BYTES_MAX = 32 * 1024 * 1024;
/** Nobody's number or name is longer. */
const USER_LENGTH_MAX = 128;
const HOST_LENGTH_MAX = 255;

export type Directory = {
  route(of: DirectoryV1.RouteRequest): Promise<DirectoryV1.RouteResponse>;
  account(id: string): Promise<DirectoryV1.AccountResponse>;
  trunk(id: string): Promise<DirectoryV1.TrunkResponse>;
  stage(of: DirectoryV1.StageRequest): Promise<DirectoryV1.StageResponse>;
  signingKey(appId: string): Promise<Buffer>;
  locate(of: DirectoryV1.LocateRequest): Promise<DirectoryV1.LocateResponse>;
  group(of: DirectoryV1.GroupRequest): Promise<DirectoryV1.GroupResponse>;
  reserve(of: DirectoryV1.ReserveRequest): Promise<DirectoryV1.ReserveResponse>;
  reach(of: DirectoryV1.ReachRequest): Promise<DirectoryV1.ReachResponse>;
  pastCall(callId: string): Promise<DirectoryV1.PastCallResponse>;
  story(of: DirectoryV1.StoryRequest): Promise<DirectoryV1.StoryResponse>;
};

/** At a numeric host, ours, a number is whose it is wherever the call came from. */
type Address = { user: string; host: string; source: string };
function addressOf(user: string, host: string, sourceAddress: string): Address {
  if (host === '' || isIP(host.replace(/^\[|\]$/g, ''))) return { user, host: '', source: '' };
  // An edge says the address alone; with a port an IPv6 address would look like a longer one.
  const source = isIP(sourceAddress) ? sourceAddress : sourceAddress.replace(/:\d+$/, '');
  return { user, host: host.toLowerCase(), source };
}

type Known = {
  lists: Awaited<ReturnType<typeof listsOf>>;
  refusal: DirectoryV1.RouteResponse['refusal'];
  response: DirectoryV1.RouteResponse;
};

/** An address with all that is the same for every caller; undefined: nobody's. */
async function knownOf(db: Database, { user, host, source }: Address): Promise<Known | undefined> {
  const number = digitsOf(user);
  const [numbered, holder, named] = await Promise.all([
    number ? byNumber(db, number) : undefined,
    number && host ? holderOf(db, number) : undefined,
    host ? byDomain(db, host, user, source) : undefined,
  ]);
  // Nobody takes the calls of somebody else's number by giving their domain the name that it is called by.
  const owner = numbered?.account.account_id ?? holder;
  const isTheirs = owner !== undefined && owner !== named?.destination.account.account_id;
  const found = named && !isTheirs ? named : numbered && { destination: numbered, refusal: undefined };
  if (!found) return undefined;
  const lists = numbered ? await listsOf(db, number!) : [];
  return { lists, refusal: found.refusal, response: await answer(db, found.destination) };
}

async function answer(
  db: Database,
  { account, app, isActive, attribution }: Destination,
): Promise<DirectoryV1.RouteResponse> {
  const trunk = await trunkOf(db, account.account_id);
  const numbers = await db
    .selectFrom('number')
    .select('number')
    .where('account_id', '=', account.account_id)
    .orderBy('number')
    .limit(OWN_NUMBERS_MAX)
    .execute();
  return {
    accountId: account.account_id,
    app,
    refusal: undefined,
    callsMax: account.calls_max,
    dialsPerMinuteMax: account.dials_per_minute_max,
    trunk: trunk?.id ?? '',
    trunkUri: trunk ? `${trunk.host}:${trunk.port}` : '',
    ownNumbers: numbers.map(({ number }) => number),
    forEveryCaller: undefined,
    inactive: isActive ? undefined : true,
    knownSources: await knownSourcesOf(db, account.account_id),
    attribution: boundedAttribution(attribution),
  };
}

/** @throws DirectoryError NOT_FOUND */
async function limitsOf(db: Database, id: string): Promise<DirectoryV1.AccountResponse> {
  const row = isUuid(id)
    ? await db
        .selectFrom('account')
        .select(['calls_max', 'dials_per_minute_max'])
        .where('id', '=', id)
        .where('deleted_on', 'is', null)
        .executeTakeFirst()
    : undefined;
  if (!row) throw new DirectoryError('NOT_FOUND', 'no such account');
  const trunk = await trunkOf(db, id);
  return { callsMax: row.calls_max, dialsPerMinuteMax: row.dials_per_minute_max, trunk: trunk?.id ?? '' };
}

/** @throws DirectoryError NOT_FOUND */
async function signingKeyOf(db: Database, seal: Seal, id: string): Promise<Buffer> {
  const row = isUuid(id)
    ? ((await db.selectFrom('app').select('signing_key').where('id', '=', id).executeTakeFirst()) ??
      (await db.selectFrom('account').select('signing_key').where('id', '=', id).executeTakeFirst()))
    : undefined;
  if (!row) throw new DirectoryError('NOT_FOUND', 'no such app');
  return seal.open(row.signing_key, id.toLowerCase());
}

/**
 * @param stagingApp the app that documents are staged for, where that may be done at all: only where nobody outside can dial them
 * @param rememberMs how old what is known of a number may be.
 */
export function createDirectory(
  db: Database,
  seal: Seal,
  stagingApp: string | undefined,
  rememberMs = REMEMBER_MS,
): Directory {
  const limits = {
    max: REMEMBERED_MAX,
    maxBytes: REMEMBERED_BYTES_MAX,
    freshMs: rememberMs,
    staleMs: rememberMs,
    patienceMs: Number.MAX_SAFE_INTEGER,
  };
  const known = createCache(limits, (key: string) => knownOf(db, JSON.parse(key) as Address));
  return {
    async route({ user, host, fromUser, callerWithheld = false, sourceAddress, callId }) {
      const isTooLong = user.length > USER_LENGTH_MAX || host.length > HOST_LENGTH_MAX;
      if (isTooLong) throw new DirectoryError('NOT_FOUND', 'no number or domain is that long');
      const staged = user.startsWith('doc-') ? await takeStaged(db, stagingApp, user, callId) : undefined;
      if (staged) return answer(db, staged);
      const found = await known.get(JSON.stringify(addressOf(user, host, sourceAddress)));
      if (!found) throw new DirectoryError('NOT_FOUND', 'nobody owns this number or domain');
      const refusal = found.refusal ?? screen(fromUser, callerWithheld, found.lists);
      return { ...found.response, refusal, forEveryCaller: found.lists.length === 0 };
    },
    account: (id) => limitsOf(db, id),
    async trunk(id) {
      const trunk = await trunkById(db, id, seal);
      if (!trunk) throw new DirectoryError('NOT_FOUND', 'no such trunk');
      return trunk;
    },
    async stage(of) {
      if (!stagingApp) throw new DirectoryError('FAILED_PRECONDITION', 'documents are staged on loopback binds only');
      return stage(db, of);
    },
    signingKey: (id) => signingKeyOf(db, seal, id),
    locate: ({ number }) => locate(db, number),
    group: async ({ group, accountId }) => ({ targets: await targetsOf(db, group, accountId) }),
    reserve: (of) => reserveLeg(db, of),
    reach: (of) => reach(db, of),
    async pastCall(callId) {
      const row =
        isUuid(callId) && (await db.selectFrom('call_log').selectAll().where('id', '=', callId).executeTakeFirst());
      if (!row) throw new DirectoryError('NOT_FOUND', 'no such call in the log');
      return { view: JSON.stringify(viewOfRow(row)) };
    },
    story: (of) => storyOf(db, of),
  };
}
