/** The OpenAPI document without an installation: what the client and COVERAGE.md are made from. It asks no database. */
import { fastify } from 'fastify';
import { type RestNeeds, rest } from '../app.ts';
import type { Engine } from '../calls/engine.ts';
import type { Database } from '../database/database.ts';

/** A JSON schema, as far as TypeBox writes it here. */
export type Schema = {
  /** Of `components`. */
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  patternProperties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  minItems?: number;
  'x-stored-only'?: string;
  'x-without-effect'?: boolean;
};

export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  security?: object[];
  parameters?: Array<{ in: string; name: string; description?: string; required?: boolean; schema: object }>;
  requestBody?: { required?: boolean; content: Record<string, { schema: object; example?: unknown }> };
  responses: Record<string, { $ref?: string; description?: string; content?: Record<string, { schema: object }> }>;
};
export type Document = {
  openapi: string;
  security: object[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: object;
    responses: Record<string, Operation['responses'][string]>;
    schemas: Record<string, object>;
  };
};

export async function readDocument(): Promise<Document> {
  const http = fastify();
  const needs: Partial<RestNeeds> = { db: {} as Database, engine: {} as Engine };
  http.register(rest(needs as RestNeeds), { prefix: '/rest' });
  const document = (await http.inject('/rest/openapi.json')).json();
  await http.close();
  return document;
}

/** Each operation with its method and path, by path. */
export const operationsOf = ({ paths }: Pick<Document, 'paths'>) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
