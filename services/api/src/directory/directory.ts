/**
 * Who owns a number or a domain, what serves it, where it is at home, whom a group rings, what is staged: the questions of the other
 * services, answered from the tables.
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { DirectoryV1 } from '@opentact/proto';
import { createCache } from '@opentact/runtime';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { appById, byNumber, type Destination, holderOf } from './destinations.ts';
import { byDomain } from './domains.ts';
import { DirectoryError } from './error.ts';
import { targetsOf } from './groups.ts';
import { digitsOf } from './numbers.ts';
import { locate } from './places.ts';
import { reserveLeg } from './reservations.ts';
import { listsOf, screen } from './screening.ts';
import { isUuid } from './uuid.ts';

const STAGED_MS = 60_000;
/** An INVITE may be repeated for 64·T1, to another edge if the first one died; it is still the same dialling. */
const SAME_DIALLING_MS = 32_000;
const STAGED_MAX = 10_000;
const DOCUMENT_BYTES_MAX = 64 * 1024;
const OWN_NUMBERS_MAX = 1000;
/** Every new caller is a question; what doesn't depend on the caller is read once for all who call in this time. */
const REMEMBER_MS = 1_000;
const REMEMBERED_MAX = 10_000;

export type Directory = {
  route(of: DirectoryV1.RouteRequest): Promise<DirectoryV1.RouteResponse>;
  account(id: string): Promise<DirectoryV1.AccountResponse>;
  trunk(id: string): Promise<DirectoryV1.TrunkResponse>;
  stage(of: DirectoryV1.StageRequest): Promise<DirectoryV1.StageResponse>;
  signingKey(appId: string): Promise<Buffer>;
  locate(of: DirectoryV1.LocateRequest): Promise<DirectoryV1.LocateResponse>;
  group(of: DirectoryV1.GroupRequest): Promise<DirectoryV1.GroupResponse>;
  reserve(of: DirectoryV1.ReserveRequest): Promise<DirectoryV1.ReserveResponse>;
};

/** At a numeric host, ours, a number is whose it is wherever the call came from. */
type Address = { user: string; host: string; source: string };
function addressOf(user: string, host: string, sourceAddress: string): Address {
  if (host === '' || isIP(host.replace(/^\[|\]$/g, ''))) return { user, host: '', source: '' };
  // An edge says the address alone; with a port an IPv6 address would look like a longer one.
  const source = isIP(sourceAddress) ? sourceAddress : sourceAddress.replace(/:\d+$/, '');
  return { user, host: host.toLowerCase(), source };
}

/**
 * @param stagingApp the app that documents are staged for, where that may be done at all: only where nobody outside can dial them
 * @param rememberMs how old what is known of a number may be.
 */
export function createDirectory(db: Database, stagingApp: string | undefined, rememberMs = REMEMBER_MS): Directory {
  /** Takes a staged document for one dialling. It runs under the app for staging, whose limits, key and account hold. */
  async function takeStaged(user: string, by: string): Promise<Destination | undefined> {
    const taken = await db
      .updateTable('staged_document')
      .set({ used_by: by, used_at: sql<Date>`coalesce(used_at, now())` })
      .where('user', '=', user)
      .where((w) =>
        w.or([
          w.and([w('used_by', 'is', null), w('expires_at', '>', sql<Date>`now()`)]),
          w.and([w('used_by', '=', by), w('used_at', '>', sql<Date>`now() - ${SAME_DIALLING_MS} * interval '1 ms'`)]),
        ]),
      )
      .returning(['xml', 'auto_answer'])
      .executeTakeFirst();
    const app = taken && stagingApp && (await appById(db, stagingApp));
    if (!app) return undefined;
    const staged = {
      staticDocument: taken.xml,
      autoAnswer: taken.auto_answer,
      callFlowUrl: '',
      name: 'staged document',
    };
    return { ...app, app: { ...app.app, ...staged }, isActive: true };
  }
  /** An address with all that is the same for every caller; undefined: nobody's. */
  const limits = { max: REMEMBERED_MAX, freshMs: rememberMs, staleMs: rememberMs, patienceMs: Number.MAX_SAFE_INTEGER };
  const known = createCache(limits, async (key: string) => {
    const { user, host, source } = JSON.parse(key) as Address;
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
    return { lists, refusal: found.refusal, response: await answer(found.destination) };
  });
  /** An account's own trunk, else the one that serves all. */
  const trunkOf = (accountId: string) =>
    db
      .selectFrom('trunk')
      .select(['id', 'host', 'port'])
      .where((w) => w.or([w('account_id', '=', accountId), w('account_id', 'is', null)]))
      .orderBy(sql`account_id is null`)
      .orderBy('id')
      .executeTakeFirst();
  async function answer({ account, app, isActive }: Destination): Promise<DirectoryV1.RouteResponse> {
    const trunk = await trunkOf(account.account_id);
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
    };
  }
  return {
    async route({ user, host, fromUser, callerWithheld = false, sourceAddress, callId }) {
      const staged = user.startsWith('doc-') ? await takeStaged(user, callId) : undefined;
      if (staged) return answer(staged);
      const found = await known.get(JSON.stringify(addressOf(user, host, sourceAddress)));
      if (!found) throw new DirectoryError('NOT_FOUND', 'nobody owns this number or domain');
      const refusal = found.refusal ?? screen(fromUser, callerWithheld, found.lists);
      return { ...found.response, refusal, forEveryCaller: found.lists.length === 0 };
    },
    async account(id) {
      const row = isUuid(id)
        ? await db
            .selectFrom('account')
            .select(['calls_max', 'dials_per_minute_max'])
            .where('id', '=', id)
            .where('deleted_on', 'is', null)
            .executeTakeFirst()
        : undefined;
      if (!row) throw new DirectoryError('NOT_FOUND', 'no such account');
      const trunk = await trunkOf(id);
      return { callsMax: row.calls_max, dialsPerMinuteMax: row.dials_per_minute_max, trunk: trunk?.id ?? '' };
    },
    async trunk(id) {
      const row = await db.selectFrom('trunk').selectAll().where('id', '=', id).executeTakeFirst();
      if (!row) throw new DirectoryError('NOT_FOUND', 'no such trunk');
      const { host, port, transport, user, password } = row;
      return { trunk: row.id, host, port, transport, user, password };
    },
    async stage({ xml, autoAnswer }) {
      if (!stagingApp) throw new DirectoryError('FAILED_PRECONDITION', 'documents are staged on loopback binds only');
      if (xml === '' || Buffer.byteLength(xml) > DOCUMENT_BYTES_MAX || xml.includes('\0'))
        throw new DirectoryError('INVALID_ARGUMENT', `a document has 1 to ${DOCUMENT_BYTES_MAX} bytes`);
      await db
        .deleteFrom('staged_document')
        .where('expires_at', '<', sql<Date>`now() - interval '10 minutes'`)
        .execute();
      const { count } = await db
        .selectFrom('staged_document')
        .select((w) => w.fn.countAll<string>().as('count'))
        .executeTakeFirstOrThrow();
      if (Number(count) >= STAGED_MAX) throw new DirectoryError('RESOURCE_EXHAUSTED', 'too many documents are staged');
      const user = `doc-${randomBytes(16).toString('hex')}`;
      const expires = Date.now() + STAGED_MS;
      await db
        .insertInto('staged_document')
        .values({ user, xml, auto_answer: autoAnswer, expires_at: new Date(expires), used_by: null, used_at: null })
        .execute();
      return { user, expires };
    },
    async signingKey(appId) {
      const row = isUuid(appId)
        ? ((await db.selectFrom('app').select('signing_key').where('id', '=', appId).executeTakeFirst()) ??
          (await db.selectFrom('account').select('signing_key').where('id', '=', appId).executeTakeFirst()))
        : undefined;
      if (!row) throw new DirectoryError('NOT_FOUND', 'no such app');
      return row.signing_key;
    },
    locate: ({ number }) => locate(db, number),
    group: async ({ group, accountId }) => ({ targets: await targetsOf(db, group, accountId) }),
    reserve: (of) => reserveLeg(db, of),
  };
}
