/** Why a request beyond our walls did not give what was asked for. The words are those of `DocumentFailed.reason`. */

export type Refusal =
  | 'refused-address'
  | 'timeout'
  | 'connect'
  | 'too-large'
  | 'redirects'
  | 'http'
  | 'bad-url'
  | 'charset';

/** A failure of the world: `detail` is for the customer and the operator, and holds no secret. */
export class DoorError extends Error {
  override name = 'DoorError';
  readonly reason: Refusal;
  /** HTTP status where one came, else 0. */
  readonly status: number;
  constructor(reason: Refusal, detail: string, options: ErrorOptions & { status?: number } = {}) {
    super(detail, options);
    this.reason = reason;
    this.status = options.status ?? 0;
  }
}

/** The refusal behind whatever a client library threw. */
export function refusalOf(error: unknown): DoorError {
  for (let e = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    if (e instanceof DoorError) return e;
    const inner = e instanceof AggregateError ? e.errors.find((x) => x instanceof DoorError) : undefined;
    if (inner) return inner;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  return new DoorError('connect', code ?? message, { cause: error });
}
