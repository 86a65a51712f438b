/**
 * The five routes of a thing that an account owns: list, make, read, change, remove. What differs from thing to thing is
 * its schemas and how it is kept; it knows no table.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import type { Identity } from './auth/identity.ts';
import { answers, ok, Uuid } from './envelope.ts';
import { notFound } from './errors.ts';
import { operation, type Tag } from './operation.ts';

/** How things are kept. `S` is whose they are; what isn't theirs is undefined, and becomes 404. */
export type Store<S, T, N, C> = {
  /** Bounded by whoever keeps them. */
  list(whose: S): Promise<T[]>;
  one(key: string, whose: S): Promise<T | undefined>;
  make(fresh: N, whose: S): Promise<T>;
  change(key: string, change: C, whose: S): Promise<T | undefined>;
  remove(key: string, whose: S): Promise<T | undefined>;
};

type Resource<S, T extends TSchema, N extends TSchema, C extends TSchema> = {
  path: string;
  tag: Tag;
  /** Operation ids are made of it: `TNProfile`, `ListTNProfiles`, `GetTNProfileByUUID`; `ids` where the reference has others. */
  id: string;
  ids?: { list?: string; read?: string; change?: string; remove?: string };
  /** How it is called in a sentence, with its article: `a TN profile`. */
  called: string;
  plural: string;
  shape: T;
  fresh: N;
  change: C;
  /** A body that makes one and may change one: the documentation's, and what cross-account.test.ts tries another account with. */
  example?: Static<N> & Static<C>;
  store: Store<S, Static<T>, Static<N>, Static<C>>;
  /** What its removal stands against (409), if anything. */
  removal?: string;
  /** The last part of its path; a uuid unless told otherwise. */
  key?: { name: string; schema: TSchema };
  /** More parts of its path, and whose it is by them. The identity alone unless told otherwise. */
  within?: { params: TObject; whose(params: Record<string, string>, identity: Identity): Promise<S> };
};

type Asked = FastifyRequest & { params: Record<string, string> };

/** Adds the five routes. */
export function resource<S, T extends TSchema, N extends TSchema, C extends TSchema>(
  http: FastifyInstance,
  of: Resource<S, T, N, C>,
): void {
  const { path, tag, id, ids = {}, called, plural, shape, store, within } = of;
  const key = of.key ?? { name: 'uuid', schema: Uuid };
  const noun = called.replace(/^an? /, '');
  const above = within?.params.properties ?? {};
  const params = Type.Object({ ...above, [key.name]: key.schema } as Record<string, TSchema>);
  const outside = within ? { params: within.params } : {};
  const one = `${path}/:${key.name}`;
  const whose = (request: Asked): Promise<S> | S =>
    within ? within.whose(request.params, request.identity) : (request.identity as S);
  const keyOf = (request: Asked) => request.params[key.name]!;
  const there = (found: Static<T> | undefined) => {
    if (found === undefined) throw notFound(noun);
    return ok(found);
  };

  http.get(
    path,
    {
      schema: {
        ...operation(ids.list ?? `List${id}s`, tag, `List ${plural}`),
        ...outside,
        response: answers(Type.Array(shape)),
      },
    },
    async (request) => ok(await store.list(await whose(request as Asked))),
  );
  const made = answers(shape, { status: 201, failures: [409] });
  const body = of.example === undefined ? of.fresh : { ...of.fresh, examples: [of.example] };
  http.post(
    path,
    { schema: { ...operation(`Create${id}`, tag, `Make ${called}`), ...outside, body, response: made } },
    async (request, reply) => {
      const payload = await store.make(request.body as Static<N>, await whose(request as Asked));
      reply.code(201);
      return ok(payload);
    },
  );
  const found = { params, response: answers(shape, { failures: [404] }) };
  http.get(
    one,
    { schema: { ...operation(ids.read ?? `Get${id}ByUUID`, tag, `Read ${called}`), ...found } },
    async (request) => there(await store.one(keyOf(request as Asked), await whose(request as Asked))),
  );
  const changed = { params, body: of.change, response: answers(shape, { failures: [404, 409] }) };
  http.patch(
    one,
    { schema: { ...operation(ids.change ?? `Modify${id}`, tag, `Change ${called}`), ...changed } },
    async (request) =>
      there(await store.change(keyOf(request as Asked), request.body as Static<C>, await whose(request as Asked))),
  );
  const removed = { params, response: answers(shape, { failures: [404, 409] }) };
  const removal = operation(ids.remove ?? `Remove${id}ByUUID`, tag, `Remove ${called}`, of.removal);
  http.delete(one, { schema: { ...removal, ...removed } }, async (request) =>
    there(await store.remove(keyOf(request as Asked), await whose(request as Asked))),
  );
}
