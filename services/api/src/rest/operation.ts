/** How a route is called in the OpenAPI document: spread into its schema. A route without is refused by openapi.test.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { TAGS } from './docs/prose.ts';

/** What the routes of a plugin are added to; schemas are their types. */
export type Http = Parameters<FastifyPluginAsyncTypebox>[0];

export type Tag = keyof typeof TAGS;

/**
 * `{ ...operation('GetUser', 'Users', 'Read a user'), params: …, response: … }`
 * @param id unique, CamelCase; the name of reference 2.19 where that has one
 * @param summary a few words, without a full stop
 * @param description what the summary can't say: effects, refusals, what is repeatable
 */
export const operation = (id: string, tag: Tag, summary: string, description?: string) => ({
  operationId: id,
  tags: [tag],
  summary,
  ...(description && { description }),
});

/** A route for which nobody need say who they are. */
export const PUBLIC = { security: [] };

/** A route of a SIP user, for whom HA1B alone serves. */
export const END_USER = { security: [{ ha1b: [] }] };
