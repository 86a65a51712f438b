/** What the Directory says where it has no answer for whoever asks. A fault of the database is none of these. */

/** A question that has no answer; `code` becomes the gRPC status. */
export class DirectoryError extends Error {
  override name = 'DirectoryError';
  readonly code: 'NOT_FOUND' | 'FAILED_PRECONDITION' | 'INVALID_ARGUMENT' | 'RESOURCE_EXHAUSTED';
  constructor(code: DirectoryError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
