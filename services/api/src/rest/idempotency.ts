/** The same `Idempotency-Key` is the same request, and its answer; with another body it is refused (409). */
import { createHash } from 'node:crypto';
import { Type } from 'typebox';

export const KeyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
});

/** The same for the same request, whatever the order of its fields. */
export const hashOf = (request: object): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(request).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');

export const ANOTHER_REQUEST = 'this Idempotency-Key was used for another request';
