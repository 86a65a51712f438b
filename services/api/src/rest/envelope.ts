/** The shapes that every answer shares (reference 2.1): one source of validation, types and the OpenAPI document. */
import { type Static, type TSchema, Type } from 'typebox';

/** `success: true` and what was asked for. */
export const success = <T extends TSchema>(payload: T) => Type.Object({ success: Type.Literal(true), payload });

export const Failure = Type.Object(
  {
    success: Type.Literal(false),
    message: Type.String(),
    status: Type.Integer(),
    fields: Type.Optional(
      Type.Record(Type.String(), Type.Object({ message: Type.String(), value: Type.Optional(Type.Unknown()) })),
    ),
  },
  { title: 'Failure' },
);

/** The answers of a route: its own by status, the failures that it may give. */
export const answers = <T extends TSchema>(payload: T, more: { status?: 200 | 201; failures?: number[] } = {}) => ({
  [more.status ?? 200]: success(payload),
  ...Object.fromEntries([400, 401, 429, ...(more.failures ?? [])].map((status) => [status, Failure])),
});

/** A body that may be left out. */
export const optionalBody = <T extends TSchema>(body: T) => Type.Union([body, Type.Null()]);

export const ok = <T>(payload: T) => ({ success: true as const, payload });

export const Uuid = Type.String({ format: 'uuid' });
export const UuidPath = Type.Object({ uuid: Uuid });
/** ISO 8601, UTC, milliseconds. */
export const Moment = Type.String({ format: 'date-time' });
export const Stamps = { created_on: Moment, modified_on: Moment };
export const Nothing = Type.Object({});

/** A telephone number of a body: E.164 with or without the plus, as a number or as text. `tnOf` reads it. */
export const TelephoneNumber = Type.Union(
  [
    Type.Integer({ minimum: 10_000_000, maximum: 999_999_999_999_999 }),
    Type.String({ pattern: '^\\+?[1-9][0-9]{7,14}$', description: '8 to 15 digits, a + may stand before them' }),
  ],
  { description: 'E.164: 13055550120 or "+13055550120".' },
);
export const tnOf = (given: Static<typeof TelephoneNumber>) => Number(String(given).replace('+', ''));

/** A page of a search: `take` 1-100 (10), `skip` from 0. */
export const PageQuery = Type.Object({
  take: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 10 })),
  skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 })),
});
export type PageQuery = Static<typeof PageQuery>;

export const pageOf = <T extends TSchema>(row: T) =>
  Type.Object({ take: Type.Integer(), skip: Type.Integer(), total: Type.Integer(), data: Type.Array(row) });

export const stamp = (moment: Date) => moment.toISOString();
