/** The key of an app, asked of the Directory and served stale while it is away. It is never logged. */
import { credentials } from '@grpc/grpc-js';
import { DirectoryV1 } from '@opentact/proto';
import { bearer, CHANNEL_OPTIONS, createCache } from '@opentact/runtime';

const LIMITS = { max: 10_000, freshMs: 60_000, staleMs: 24 * 3_600_000, patienceMs: 500 };
const ASK_MS_MAX = 2000;

/** @returns the key of an app; rejects where the Directory is away and never told it. */
export function createSigningKeys(
  address: string,
  token: string | undefined,
): { of(appId: string): Promise<Uint8Array>; close(): void } {
  const client = new DirectoryV1.DirectoryClient(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const cache = createCache<Uint8Array>(
    LIMITS,
    (appId) =>
      new Promise((done, failed) => {
        const options = { deadline: Date.now() + ASK_MS_MAX, waitForReady: true };
        client.signingKey({ appId }, bearer(token), options, (error, answer) =>
          error ? failed(error) : done(answer.key),
        );
      }),
  );
  return { of: cache.get, close: () => client.close() };
}
