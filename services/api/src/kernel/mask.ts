/** Masks of the reference: `*` any run, `%` one position. */

const SIGNS: Record<string, string> = { '*': '%', '%': '_', _: '\\_', '\\': '\\\\' };

/** A mask as a pattern of SQL's LIKE; every other character stands for itself. */
export const likeOf = (mask: string) => mask.replace(/[*%_\\]/g, (sign) => SIGNS[sign]!);
