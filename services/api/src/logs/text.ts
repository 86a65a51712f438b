/** What comes from outside, as PostgreSQL takes it: one event that it refuses would hold up all behind it. */
const TEXT_MAX = 255;

export const clean = (text: string) => text.replaceAll('\0', '');
export const short = (text: string) => clean(text).slice(0, TEXT_MAX);
