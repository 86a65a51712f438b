/**
 * The OpenAPI document of the routes (`/rest/openapi.json`; its page is `docs/page.ts`). What the schemas of routes can't
 * say is put in here: the failures that every route shares, uploads, names of schemas, commands to try.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { referred } from './docs/named-schemas.ts';
import { documentation } from './docs/page.ts';
import { INTRODUCTION, TAGS } from './docs/prose.ts';
import { type Described, sampleOf } from './docs/samples.ts';
import { Failure } from './envelope.ts';

const FAILURES: Record<string, string> = {
  400: 'Some parameters are wrong: `fields` says which.',
  401: 'Credentials are missing or wrong.',
  402: 'The balance is too low.',
  403: 'The role may not.',
  404: 'There is none, or another account has it.',
  409: 'It stands against what there is; the message says what to do first.',
  413: 'The body is too long.',
  415: 'The body has another content type than the route takes.',
  429: 'Too often; `Retry-After` says when again.',
  503: 'What this needs is away; `Retry-After` says when again.',
};

const DONE: Record<string, string> = { 200: 'Done.', 201: 'Made.', 202: 'Taken; it is done later.', 206: 'A part.' };

type Operation = { responses: Record<string, object>; requestBody?: { required?: boolean; content: Content } };
type Content = Record<string, { schema: { anyOf?: Array<{ type?: string }> } }>;

const SECURITY_SCHEMES = {
  token: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Auth-Token',
    description: 'A JWT of GET /rest/auth, or an API key.',
  },
  ha1b: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Auth-HA1B-Token',
    description: 'Of a SIP user: MD5 or SHA-256 of `login@domain:domain:password`, in hex. Or `?ha1b=`.',
  },
  basic: { type: 'http', scheme: 'basic', description: 'E-mail and password.' },
  google: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Auth-Google-Token',
    description: 'A Google ID token, where log-in by Google is set up.',
  },
  facebook: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Auth-Facebook-Token',
    description: 'A Facebook token, where log-in by Facebook is set up.',
  },
} as const;

/** To be registered before the routes. */
export async function openApi(http: FastifyInstance): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Opentact',
        version: '1',
        description: INTRODUCTION,
      },
      servers: [{ url: '/' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: SECURITY_SCHEMES,
      },
      security: [{ token: [] }, { basic: [] }, { google: [] }, { facebook: [] }],
    },
    transform: ({ schema, url }) => ({ schema: completed(schema ?? {}), url }),
    transformObject: (document) =>
      'openapiObject' in document ? finished(document.openapiObject) : document.swaggerObject,
  });
  http.get('/openapi.json', { schema: { hide: true } }, async () => http.swagger());
  documentation(http);
}

type Sampled = Operation & Described & { 'x-codeSamples'?: object[] };

/** Failures stand once, as components, and so does each schema with a name. */
function finished<D extends { paths?: object; components?: object }>(found: D): D {
  const paths = (found.paths ?? {}) as Record<string, Record<string, Sampled>>;
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      shorten(operation);
      const source = sampleOf(method, path, operation, paths);
      if (source) operation['x-codeSamples'] = [{ lang: 'Shell', label: 'curl', source }];
    }
  const responses = Object.fromEntries(
    Object.entries(FAILURES).map(([status, description]) => [
      `Failure${status}`,
      { description, content: { 'application/json': { schema: Failure } } },
    ]),
  );
  const schemas: Record<string, unknown> = {};
  const named = referred({ paths, responses }, schemas);
  const sorted = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
  const components = { ...found.components, schemas: sorted, responses: named.responses };
  return { ...found, paths: named.paths, components };
}

/** The failures that follow from what a route takes; an upload's field. */
function completed(schema: FastifySchema & { consumes?: readonly string[] }): FastifySchema {
  if (schema.hide) return schema;
  const isUpload = schema.consumes?.includes('multipart/form-data') ?? false;
  const file = { type: 'object', properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] };
  const statuses = [
    ...(schema.security?.length === 0 ? [] : [401]),
    503,
    ...(schema.params ? [404] : []),
    ...(schema.body || isUpload ? [413, 415] : []),
  ];
  return {
    ...schema,
    ...(isUpload && !schema.body && { body: file }),
    response: { ...Object.fromEntries(statuses.map((status) => [status, Failure])), ...(schema.response as object) },
  };
}

/** A failure by its name, and a body that may be left out as such. */
function shorten({ responses, requestBody }: Operation): void {
  for (const status of Object.keys(responses))
    if (FAILURES[status]) responses[status] = { $ref: `#/components/responses/Failure${status}` };
    else if (DONE[status]) responses[status] = { ...responses[status], description: DONE[status] };
  for (const media of Object.values(requestBody?.content ?? {})) {
    const [body, none, ...more] = media.schema.anyOf ?? [];
    if (!body || none?.type !== 'null' || more.length > 0) continue;
    media.schema = body as typeof media.schema;
    requestBody!.required = false;
  }
}
