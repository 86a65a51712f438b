/** How often the registry is read, and how often a process writes that it lives; ms. */
export const READ_EVERY_MS = 166;
export const BEAT_EVERY_MS = 500;
