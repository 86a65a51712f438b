/** Holds every answer of a server against its own OpenAPI document: the status is one that it names, the body is as it says. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import type { Document } from '../reference/document.ts';

/** What is wrong with an answer to a request of a path as the document writes it (`/rest/user/{uuid}`); undefined: nothing. */
export type Contract = (method: string, path: string | undefined, status: number, body: string) => string | undefined;

export function contractOf({ paths, components }: Pick<Document, 'paths' | 'components'>): Contract {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const compiled = new Map<string, ValidateFunction>();
  const judge = (name: string, schema: object) => {
    const known = compiled.get(name) ?? ajv.compile({ ...schema, components });
    compiled.set(name, known);
    return known;
  };
  return (method, path, status, body) => {
    const operation = path === undefined ? undefined : paths[path]?.[method.toLowerCase()];
    const name = `${method} ${path}`;
    const answer =
      operation?.responses[status] ?? (operation ? undefined : { $ref: '#/components/responses/Failure404' });
    if (!answer) return `${name}: the document has no answer ${status}: ${body.slice(0, 500)}`;
    const { content } = answer.$ref ? components.responses[answer.$ref.split('/').at(-1)!]! : answer;
    const schema = content?.['application/json']?.schema;
    if (!schema) return undefined;
    const isRight = judge(answer.$ref ?? `${name} ${status}`, schema);
    try {
      if (isRight(JSON.parse(body))) return undefined;
    } catch {
      return `${name} ${status}: no JSON: ${body.slice(0, 500)}`;
    }
    return `${name} ${status}: ${ajv.errorsText(isRight.errors)}: ${body.slice(0, 500)}`;
  };
}

/** One line for a server of a test, before it is ready: what is wrong with an answer comes to `faults`. */
export function checkAnswers(http: FastifyInstance, faults: unknown[]): void {
  let contract: Contract | undefined;
  http.addHook('onSend', async (request, reply, payload) => {
    if (request.method === 'HEAD' || !request.url.startsWith('/rest') || typeof payload !== 'string') return payload;
    const { url, schema } = request.routeOptions;
    if ((schema as { hide?: boolean } | undefined)?.hide) return payload;
    contract ??= contractOf((await http.inject('/rest/openapi.json')).json());
    const fault = contract(request.method, url?.replace(/:(\w+)/g, '{$1}'), reply.statusCode, payload);
    if (fault) faults.push(fault);
    return payload;
  });
}

/** `fetch` for a client of a test: throws where an answer of the REST API at `url` is not as its document says. */
export async function checkedFetch(url: string): Promise<typeof globalThis.fetch> {
  const document = (await (await fetch(`${url}/rest/openapi.json`)).json()) as Document;
  const contract = contractOf(document);
  // A path without parameters before one with: /token/all is no key.
  const templates = Object.keys(document.paths).sort((a, b) => a.split('{').length - b.split('{').length);
  return async (address, init) => {
    const response = await fetch(address, init);
    const { pathname } = new URL(String(address));
    const isOf = (template: string) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname);
    const path = templates.find((template) => isOf(template) && document.paths[template]![methodOf(init)]);
    const fault = contract(methodOf(init), path, response.status, await response.clone().text());
    if (fault) throw new Error(fault);
    return response;
  };
}

const methodOf = (init: RequestInit | undefined) => (init?.method ?? 'GET').toLowerCase();
