/**
 * What is refused to whoever asked, and why. It knows no protocol: rest/errors.ts says which HTTP status a code is. A
 * fault of ours is no refusal.
 */

/** `unavailable`: whoever should have done it can't be asked now, so that it may have been done; the others: it was not. */
export type RefusalCode = 'invalid' | 'unaffordable' | 'not-found' | 'conflict' | 'busy' | 'unavailable';

/** By the name of the field: what is wrong with it, and the value that was given (never a secret's). */
export type WrongFields = { [field: string]: { message: string; value?: unknown } };

export class Refusal extends Error {
  override name = 'Refusal';
  readonly code: RefusalCode;
  /** Of what was given, where it is `invalid`. */
  readonly fields: WrongFields | undefined;
  constructor(code: RefusalCode, message: string, fields?: WrongFields) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}

export const invalid = (fields: WrongFields) => new Refusal('invalid', 'some parameters are wrong', fields);
