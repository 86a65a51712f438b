/** How a telephone number is compared: by its digits alone. Pure. */

/** The digits of a number as it came on the wire (`+1 800-555.0100`); undefined where it is no number. */
export function digitsOf(user: string): string | undefined {
  const bare = user.split(';')[0]!.replace(/[\s().-]/g, '');
  return /^\+?\d{3,20}$/.test(bare) ? bare.replace('+', '') : undefined;
}
