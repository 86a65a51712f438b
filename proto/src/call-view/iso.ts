/** A time as customers see it. @param at ms since the epoch */
export const iso = (at: number): string => new Date(at).toISOString();
