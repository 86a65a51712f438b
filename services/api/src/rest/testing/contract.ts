/** Holds every answer of a server against its own OpenAPI document: the status is one that it names, the body is as it says. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';

export type Operation = {
  operationId: string;
  security?: object[];
  parameters?: Array<{ in: string; name: string; required?: boolean; schema: object }>;
  requestBody?: { required?: boolean; content: Record<string, { schema: object }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>;
};
export type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Operation['responses'][string]>; schemas: Record<string, object> };
};

/** What is wrong with an answer to a request of a path as the document writes it (`/rest/user/{uuid}`); undefined: nothing. */
export type Contract = (method: string, path: string | undefined, status: number, body: string) => string | undefined;

export function contractOf({ paths, components }: Document): Contract {
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
