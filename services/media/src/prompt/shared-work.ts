// Work that several wait for, done once. It is given up when nobody waits for it any more.

/** Who waits: whose share it takes, and what says that he waits no longer. */
export type For = { account: string; signal?: AbortSignal | undefined };

type Work<T> = { result: Promise<T>; stop: AbortController; waiting: number };

export class SharedWork<T> {
  private readonly underway = new Map<string, Work<T>>();

  /**
   * The result of `make`, which is begun only where nobody of this account waits for it: behind another account's queue
   * nobody is to wait. @throws the signal's reason where that ends first
   */
  get(key: string, by: For, make: (by: For & { signal: AbortSignal }) => Promise<T>): Promise<T> {
    if (by.signal?.aborted) return Promise.reject(by.signal.reason as Error);
    const own = `${by.account} ${key}`;
    const work = this.underway.get(own) ?? this.begin(own, by.account, make);
    work.waiting++;
    const { signal } = by;
    if (!signal) return work.result;
    return new Promise((resolve, reject) => {
      const left = () => {
        reject(signal.reason as Error);
        if (--work.waiting > 0) return;
        if (this.underway.get(own) === work) this.underway.delete(own);
        work.stop.abort(signal.reason);
      };
      signal.addEventListener('abort', left, { once: true });
      work.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', left));
    });
  }

  private begin(own: string, account: string, make: (by: For & { signal: AbortSignal }) => Promise<T>): Work<T> {
    const stop = new AbortController();
    const result = make({ account, signal: stop.signal }).finally(() => {
      if (this.underway.get(own) === work) this.underway.delete(own);
    });
    const work: Work<T> = { result, stop, waiting: 0 };
    this.underway.set(own, work);
    result.catch(() => {}); // Told to whoever still waits.
    return work;
  }
}
