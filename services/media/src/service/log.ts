/** What the service needs of a log: fields first, then a few words. */
export type Log = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, words: string) => void>;
