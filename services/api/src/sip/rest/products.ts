/** Products: what calls go out by. The installation has one, for its trunks (reference 2.8); nobody changes them by REST. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { Database, Tables } from '../../database/database.ts';
import { answers, ok } from '../../rest/envelope.ts';
import { storedOnly } from '../../rest/known.ts';
import { operation } from '../../rest/operation.ts';

const PRODUCTS_MAX = 1024;

export const Product = Type.Object(
  {
    id: Type.Integer(),
    name: Type.String(),
    description: Type.String(),
    type: Type.Union([Type.Literal('public'), Type.Literal('private')]),
    tech_prefix: Type.Integer(),
    rate_table_id: Type.Integer(),
    route_plan_id: Type.Integer(),
  },
  { title: 'Product' },
);
type Product = Static<typeof Product>;
/** How a body names one. */
export const ProductId = Type.Integer({
  minimum: 1,
  maximum: 1024,
  ...storedOnly('there is one product, for every trunk', 'An id of GET /sip/product.'),
});

/** How calls' sound goes (reference A.1, EClass4MediaType). */
export const MediaSettings = Type.Object({
  media_type: Type.Union(
    [Type.Literal('Bypass Media'), Type.Literal('Proxy Media'), Type.Literal('Proxy Media + Transcoding')],
    storedOnly('sound always passes through this platform'),
  ),
});
export type MediaType = Static<typeof MediaSettings>['media_type'];

/** All of them by their ids. */
export async function productsOf(db: Kysely<Tables>): Promise<Map<number, Product>> {
  const rows = await db.selectFrom('sip_product').selectAll().orderBy('id').limit(PRODUCTS_MAX).execute();
  return new Map(rows.map((row) => [row.id, row as Product]));
}

export const products =
  (db: Database): FastifyPluginAsyncTypebox =>
  async (http) => {
    const response = answers(Type.Array(Product));
    const one = { ...operation('GetSIPProductsList', 'SIP connections', 'List products'), response };
    http.get('/sip/product', { schema: one }, async () => ok([...(await productsOf(db)).values()]));
    const older = { ...operation('GetSIPConnectionProductsList', 'SIP connections', 'List products (older path)') };
    http.get('/sip/connection/product', { schema: { ...older, response } }, async () =>
      ok([...(await productsOf(db)).values()]),
    );
  };
