/** Groups of SIP users: made by a SIP user, of users of the same domain (reference 1.11, 2.11). Only their owner sees and changes them. */
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { answers, ok, Stamps, stamp, Uuid, UuidPath } from '../../rest/envelope.ts';
import { badInput, notFound, RestError } from '../../rest/errors.ts';
import { storedOnly } from '../../rest/known.ts';
import { END_USER, type Http, operation } from '../../rest/operation.ts';
import type { EndUser } from './end-users.ts';
import { readSipUsers, SipUser, sipUserOf } from './sip-users.ts';

const GROUPS_MAX = 100;
const MEMBERS_MAX = 200;

const Name = Type.String({ minLength: 3, maxLength: 80 });
const Users = Type.Array(Uuid, { maxItems: MEMBERS_MAX, ...storedOnly('nobody rings a group of SIP users') });
const Group = Type.Object({ uuid: Uuid, name: Type.String(), users: Users, ...Stamps }, { title: 'SIPUserGroup' });
const New = Type.Object({ name: Name, users: Type.Optional(Users) });
const Change = Type.Partial(New);
const Member = Type.Object({ uuid: Uuid, sip_user_uuid: Uuid });

/** One's own group. @throws RestError 404 */
async function owned(db: Kysely<Tables>, uuid: string, { id }: EndUser, lock?: 'lock') {
  const row = await db
    .selectFrom('sip_group')
    .selectAll()
    .where('id', '=', uuid)
    .where('owner_id', '=', id)
    .$if(lock === 'lock', (q) => q.forUpdate())
    .executeTakeFirst();
  if (!row) throw notFound('group');
  return row;
}

const membersOf = async (db: Kysely<Tables>, group: string) =>
  (
    await db
      .selectFrom('sip_group_user')
      .select('user_id')
      .where('group_id', '=', group)
      .orderBy('user_id')
      .limit(MEMBERS_MAX)
      .execute()
  ).map(({ user_id }) => user_id);

async function groupOf(db: Kysely<Tables>, uuid: string, owner: EndUser): Promise<Static<typeof Group>> {
  const { id, name, created_on, modified_on } = await owned(db, uuid, owner);
  const users = await membersOf(db, id);
  return { uuid: id, name, users, created_on: stamp(created_on), modified_on: stamp(modified_on) };
}

/** @throws RestError 400 for a user of another domain, 409 where there are too many */
async function add(tx: Kysely<Tables>, group: string, { domainId }: EndUser, users: string[]): Promise<void> {
  if (users.length === 0) return;
  const there = await tx
    .selectFrom('sip_user')
    .select('id')
    .where('domain_id', '=', domainId)
    .where('id', 'in', users)
    .execute();
  const known = new Set(there.map(({ id }) => id));
  const strange = users.find((id) => !known.has(id.toLowerCase()));
  if (strange) throw badInput({ 'body.users': { message: 'names nobody of this domain', value: strange } });
  await tx
    .insertInto('sip_group_user')
    .values([...known].map((user_id) => ({ group_id: group, user_id })))
    .onConflict((c) => c.doNothing())
    .execute();
  const { count } = await tx
    .selectFrom('sip_group_user')
    .where('group_id', '=', group)
    .select((w) => w.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) > MEMBERS_MAX) throw new RestError(409, `a group has ${MEMBERS_MAX} users at most`);
}

const said = (id: string, summary: string) => ({ ...operation(id, 'End users', summary), ...END_USER });

/** Changes a group of whoever asks, and shows it. */
const change = (db: Database, owner: EndUser, uuid: string, how: (tx: Kysely<Tables>) => Promise<unknown>) =>
  db.transaction().execute(async (tx) => {
    await owned(tx, uuid, owner, 'lock');
    await how(tx);
    await tx.updateTable('sip_group').set({ modified_on: new Date() }).where('id', '=', uuid).execute();
    return ok(await groupOf(tx, uuid, owner));
  });

const members = { params: UuidPath, response: answers(Type.Array(SipUser), { failures: [404, 409] }) };

const shownMembers = async (from: Kysely<Tables>, uuid: string, { domainId }: EndUser) => {
  const ids = await membersOf(from, uuid);
  if (ids.length === 0) return ok([]);
  const rows = await readSipUsers(from, domainId).where('user.id', 'in', ids).orderBy('user.login').execute();
  return ok(rows.map(sipUserOf));
};

const path = '/app/group/:uuid/users/:sip_user_uuid';

const member = { params: Member, response: answers(Group, { failures: [404, 409] }) };

export const endUserGroups =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    getSIPGroupsListApp(http, db);
    createSIPUserGroupApp(http, db);
    modifySIPUserGroupApp(http, db);
    removeSIPUserGroupApp(http, db);
    getSIPUserGroupUsersApp(http, db);
    addSIPUsersToSIPUserGroupApp(http, db);
    addSIPUserToSIPUserGroupApp(http, db);
    removeSIPUserFromSIPUserGroupApp(http, db);
  };

function getSIPGroupsListApp(http: Http, db: Database): void {
  const listed = { ...said('GetSIPGroupsListApp', 'List one’s groups'), response: answers(Type.Array(Group)) };
  http.get('/app/group', { schema: listed }, async ({ endUser }) => {
    const rows = await db
      .selectFrom('sip_group')
      .select('id')
      .where('owner_id', '=', endUser.id)
      .orderBy('created_on')
      .orderBy('id')
      .limit(GROUPS_MAX)
      .execute();
    return ok(await Promise.all(rows.map(({ id }) => groupOf(db, id, endUser))));
  });
}

function createSIPUserGroupApp(http: Http, db: Database): void {
  const made = {
    ...said('CreateSIPUserGroupApp', 'Make a group'),
    body: New,
    response: answers(Group, { status: 201, failures: [409] }),
  };
  http.post('/app/group', { schema: made }, async ({ endUser, body }, reply) => {
    const id = randomUUID();
    const group = await db.transaction().execute(async (tx) => {
      // One at a time for each user, so that the count holds.
      await tx.selectFrom('sip_user').select('id').where('id', '=', endUser.id).forUpdate().executeTakeFirst();
      const { count } = await tx
        .selectFrom('sip_group')
        .where('owner_id', '=', endUser.id)
        .select((w) => w.fn.countAll<string>().as('count'))
        .executeTakeFirstOrThrow();
      if (Number(count) >= GROUPS_MAX) throw new RestError(409, `a user has ${GROUPS_MAX} groups at most`);
      await tx.insertInto('sip_group').values({ id, owner_id: endUser.id, name: body.name }).execute();
      await add(tx, id, endUser, body.users ?? []);
      return groupOf(tx, id, endUser);
    });
    reply.code(201);
    return ok(group);
  });
}

function modifySIPUserGroupApp(http: Http, db: Database): void {
  const modified = {
    ...said('ModifySIPUserGroupApp', 'Change a group'),
    params: UuidPath,
    body: Change,
    response: answers(Group, { failures: [404, 409] }),
  };
  http.patch('/app/group/:uuid', { schema: modified }, async ({ endUser, params: { uuid }, body }) =>
    change(db, endUser, uuid, async (tx) => {
      if (body.name !== undefined)
        await tx.updateTable('sip_group').set({ name: body.name }).where('id', '=', uuid).execute();
      if (body.users === undefined) return;
      await tx.deleteFrom('sip_group_user').where('group_id', '=', uuid).execute();
      await add(tx, uuid, endUser, body.users);
    }),
  );
}

function removeSIPUserGroupApp(http: Http, db: Database): void {
  const one = answers(Group, { failures: [404] });
  const removed = { ...said('RemoveSIPUserGroupApp', 'Remove a group'), params: UuidPath, response: one };
  http.delete('/app/group/:uuid', { schema: removed }, async ({ endUser, params: { uuid } }) => {
    const group = await groupOf(db, uuid, endUser);
    await db.deleteFrom('sip_group').where('id', '=', uuid).where('owner_id', '=', endUser.id).execute();
    return ok(group);
  });
}

function getSIPUserGroupUsersApp(http: Http, db: Database): void {
  http.get(
    '/app/group/:uuid/users',
    { schema: { ...said('GetSIPUserGroupUsersApp', 'List users of a group'), ...members } },
    async ({ endUser, params: { uuid } }) => {
      await owned(db, uuid, endUser);
      return shownMembers(db, uuid, endUser);
    },
  );
}

function addSIPUsersToSIPUserGroupApp(http: Http, db: Database): void {
  const added = { ...said('AddSIPUsersToSIPUserGroupApp', 'Put users into a group'), ...members };
  http.post(
    '/app/group/:uuid/users',
    { schema: { ...added, body: Type.Object({ users: Users }) } },
    async ({ endUser, params: { uuid }, body }) =>
      db.transaction().execute(async (tx) => {
        await owned(tx, uuid, endUser, 'lock');
        await add(tx, uuid, endUser, body.users);
        return shownMembers(tx, uuid, endUser);
      }),
  );
}

function addSIPUserToSIPUserGroupApp(http: Http, db: Database): void {
  http.patch(
    path,
    { schema: { ...said('AddSIPUserToSIPUserGroupApp', 'Put a user into a group'), ...member } },
    async ({ endUser, params }) =>
      change(db, endUser, params.uuid, (tx) => add(tx, params.uuid, endUser, [params.sip_user_uuid])),
  );
}

function removeSIPUserFromSIPUserGroupApp(http: Http, db: Database): void {
  http.delete(
    path,
    { schema: { ...said('RemoveSIPUserFromSIPUserGroupApp', 'Take a user out of a group'), ...member } },
    async ({ endUser, params }) =>
      change(db, endUser, params.uuid, async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom('sip_group_user')
          .where('group_id', '=', params.uuid)
          .where('user_id', '=', params.sip_user_uuid)
          .executeTakeFirst();
        if (numDeletedRows === 0n) throw notFound('user of this group');
      }),
  );
}
