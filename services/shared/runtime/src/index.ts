/** What every process needs before it can do anything: configuration, a log, health, an orderly end. Knows no call. */
export * from './addresses.ts';
export * from './boot.ts';
export * from './cache.ts';
export * from './config.ts';
export * from './grpc.ts';
export * from './hash.ts';
export * from './health.ts';
export * from './logger.ts';
export * from './loop-delay.ts';
export { isLoopback, isWildcard } from './parsers.ts';
export * from './retry.ts';
export * from './secret.ts';
export * from './shutdown.ts';
export * from './sign-of-life.ts';
export * from './socket-path.ts';
export * from './variables.ts';
