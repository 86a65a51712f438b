/** The zone of an account's clock, as every reader of it knows it; '' (UTC) where this machine has no such zone. */
export function timeZoneOf(name: string): string {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return name;
  } catch {
    return '';
  }
}
