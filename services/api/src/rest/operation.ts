/** How a route is called in the OpenAPI document: spread into its schema. A route without is refused by openapi.test.ts. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

/** What the routes of a plugin are added to; schemas are their types. */
export type Http = Parameters<FastifyPluginAsyncTypebox>[0];

/** The parts of the API, in the order of the document. */
export const TAGS = {
  Authentication: 'Sign-up, log-in, password reset.',
  'API keys': 'Long-lived credentials; shown once.',
  Users: 'Users of the account.',
  Account: 'The account itself: office hours, settings.',
  Addresses: 'Postal addresses of an account or a user.',
  'SIP apps': 'What decides over calls, and the documents that calls run.',
  'SIP connections': 'Trunks to one’s own equipment, their products.',
  'SIP domains': 'Domains with their users, switches and invites.',
  'End users': 'What a SIP user may do by its own credential.',
  Profiles: 'TN profiles (screening), outbound voice profiles.',
  Numbers: 'Search of numbers that can be had, orders.',
  Leases: 'Numbers of the account.',
  Calls: 'Calls that live: made, bridged, given a document, ended.',
  Logs: 'What was: call log, flow log.',
  Recordings: 'What was recorded.',
  Money: 'Transactions, payments, reports.',
  Dictionaries: 'Countries, time zones, voices, rate centres.',
  Administration: 'For the role Admin of the installation.',
} as const;
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
