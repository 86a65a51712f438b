/** TN profiles: who may call the numbers that have one, by a black- and a whitelist (reference 1.6, 2.7). */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Kysely, sql } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import type { Identity } from '../../rest/auth/identity.ts';
import { answers, ok, Stamps, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { type Http, operation } from '../../rest/operation.ts';
import { resource } from '../../rest/resource.ts';
import { OF_ACCOUNT, storeIn } from '../../rest/store.ts';

const PROFILES_MAX = 1000;
/** On both lists of a profile together: every call of a number is compared with each. */
const CALLERS_MAX = 5000;
const CHANGES_MAX = 500;

const Fields = {
  name: Type.String({ minLength: 1, maxLength: 255 }),
  description: Type.String({ maxLength: 1024 }),
};
const Profile = Type.Object({ uuid: Uuid, ...Fields, ...Stamps }, { title: 'TNProfile' });
const New = Type.Object({ name: Fields.name, description: Type.Optional(Fields.description) });
const Change = Type.Partial(Type.Object(Fields));
const CALLER = '^\\+?(?=.)[0-9]{0,20}[*%]{0,15}$';
const Caller = Type.String({
  pattern: CALLER,
  maxLength: 36,
  description: 'Digits, a leading + may stand before them; at the end % stands for one digit, * for any rest.',
});
const Callers = Type.Array(Type.Union([Caller, Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })]), {
  maxItems: CHANGES_MAX,
});
const ListChange = Type.Object({ add: Type.Optional(Callers), remove: Type.Optional(Callers) });
const List = Type.Array(Type.String());

type Row = { id: string; name: string; description: string; created_on: Date; modified_on: Date };
const profileOf = ({ id, name, description, created_on, modified_on }: Row) => ({
  uuid: id,
  name,
  description,
  created_on: stamp(created_on),
  modified_on: stamp(modified_on),
});
const COLUMNS = ['id', 'name', 'description', 'created_on', 'modified_on'] as const;

const mine = (db: Kysely<Tables>, { accountId }: Identity) =>
  db.selectFrom('tn_profile').select(COLUMNS).where('account_id', '=', accountId);

type ListName = 'blacklist' | 'whitelist';
const digits = (caller: string | number) => String(caller).replace('+', '');

const listed = async (db: Kysely<Tables>, profile: string, list: ListName) =>
  (
    await db
      .selectFrom('tn_profile_caller')
      .select('caller')
      .where('profile_id', '=', profile)
      .where('list', '=', list)
      .orderBy('caller')
      .limit(CALLERS_MAX)
      .execute()
  ).map(({ caller }) => caller);

/** @throws RestError 409 where a caller is on the other list, or there are too many */
async function changeList(
  tx: Kysely<Tables>,
  profile: string,
  list: ListName,
  { add = [], remove = [] }: Static<typeof ListChange>,
): Promise<void> {
  const gone = remove.map(digits);
  if (gone.length > 0)
    await tx
      .deleteFrom('tn_profile_caller')
      .where('profile_id', '=', profile)
      .where('list', '=', list)
      .where('caller', 'in', gone)
      .execute();
  const callers = [...new Set(add.map(digits))];
  if (callers.length === 0) return;
  const rows = callers.map((caller) => ({ profile_id: profile, list, caller }));
  await tx
    .insertInto('tn_profile_caller')
    .values(rows)
    .onConflict((c) => c.doNothing())
    .execute();
  const { twice, count } = await tx
    .selectFrom('tn_profile_caller')
    .where('profile_id', '=', profile)
    .select((w) => w.fn.countAll<string>().as('count'))
    .select(sql<string | null>`min(caller) filter (where list <> ${list} and caller = any(${callers}))`.as('twice'))
    .executeTakeFirstOrThrow();
  if (twice !== null) {
    const other = list === 'blacklist' ? 'whitelist' : 'blacklist';
    throw new RestError(409, `${twice} is on the ${other} of this profile: remove it there first`, {
      'body.add': { message: `is on the ${other}`, value: twice },
    });
  }
  if (Number(count) > CALLERS_MAX) throw new RestError(409, `a profile has ${CALLERS_MAX} callers at most`);
}

export const tnProfiles =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    resource(http, {
      path: '/profile/tn',
      tag: 'Profiles',
      id: 'TNProfile',
      called: 'a TN profile',
      plural: 'TN profiles',
      shape: Profile,
      fresh: New,
      change: Change,
      example: { name: 'Callers' },
      store: storeIn(db, {
        table: 'tn_profile',
        ...OF_ACCOUNT,
        max: PROFILES_MAX,
        read: (who) => mine(db, who),
        shown: (rows: Row[]) => rows.map(profileOf),
        fresh: ({ name, description = '' }: Static<typeof New>) => ({ name, description }),
        changed: (change: Static<typeof Change>) => change,
        whileNamed: 'numbers have this profile: PATCH /lease/tn/{uuid} {"tn_profile": null} first',
      }),
      removal: 'Refused (409) while a number has it.',
    });

    for (const list of ['blacklist', 'whitelist'] as const) {
      readList(http, db, list);
      changeListRoute(http, db, list);
      removeFromList(http, db, list);
    }
  };

/** @param lock whoever changes its lists waits for whoever does so now. */
async function mustOwnProfile(db: Kysely<Tables>, uuid: string, who: Identity, lock?: 'lock'): Promise<void> {
  const row = await mine(db, who)
    .where('id', '=', uuid)
    .$if(lock === 'lock', (q) => q.forUpdate())
    .executeTakeFirst();
  if (!row) throw notFound('TN profile');
}

const NAME = { blacklist: 'Blacklist', whitelist: 'Whitelist' };
const SAYS = {
  blacklist:
    'Callers on it are refused (403, Q.850 21) before anything rings; known to every edge within three seconds.',
  whitelist: 'Once it holds anybody, only its callers may call, and nobody who withholds the number.',
};

function readList(http: Http, db: Database, list: ListName): void {
  const schema = {
    ...operation(`Get${NAME[list]}`, 'Profiles', `Read the ${list} of a TN profile`, SAYS[list]),
    params: UuidPath,
    response: answers(List, { failures: [404] }),
  };
  http.get(`/profile/tn/:uuid/${list}`, { schema }, async ({ identity, params }) => {
    await mustOwnProfile(db, params.uuid, identity);
    return ok(await listed(db, params.uuid, list));
  });
}

function changeListRoute(http: Http, db: Database, list: ListName): void {
  const summary = `Put callers on the ${list} of a TN profile, or take them off`;
  const schema = {
    ...operation(`Change${NAME[list]}`, 'Profiles', summary, SAYS[list]),
    params: UuidPath,
    body: ListChange,
    response: answers(List, { failures: [404, 409] }),
  };
  http.post(`/profile/tn/:uuid/${list}`, { schema }, async ({ identity, params, body }) =>
    db.transaction().execute(async (tx) => {
      await mustOwnProfile(tx, params.uuid, identity, 'lock');
      await changeList(tx, params.uuid, list, body);
      return ok(await listed(tx, params.uuid, list));
    }),
  );
}

function removeFromList(http: Http, db: Database, list: ListName): void {
  const schema = {
    ...operation(`RemoveFrom${NAME[list]}`, 'Profiles', `Take one caller off the ${list} of a TN profile`),
    params: Type.Object({ uuid: Uuid, number: Type.String({ minLength: 1, maxLength: 36 }) }),
    response: answers(List, { failures: [404] }),
  };
  http.delete(`/profile/tn/:uuid/${list}/:number`, { schema }, async ({ identity, params }) => {
    await mustOwnProfile(db, params.uuid, identity);
    if (!new RegExp(CALLER).test(params.number))
      throw badInput({ 'params.number': { message: 'is no caller: give digits', value: params.number } });
    const { numDeletedRows } = await db
      .deleteFrom('tn_profile_caller')
      .where('profile_id', '=', params.uuid)
      .where('list', '=', list)
      .where('caller', '=', digits(params.number))
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw notFound(`caller on the ${list}`);
    return ok(await listed(db, params.uuid, list));
  });
}
