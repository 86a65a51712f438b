// What the flow asks the Directory by way of its edge: where a number is at home, whom a group rings.
// It refuses to ask for what is neither digits nor a uuid, and takes ten targets of a group at most.

import type { CallEvent, FactOf } from '@opentact/proto';
import { type Context, report } from '../edge/context.ts';
import { DirectoryAway } from '../edge/port.ts';

const DIGITS = /^\d{3,15}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TARGETS_MAX = 10;

type Found = FactOf<'LocationFound'> | FactOf<'GroupFound'>;

export function locate(
  context: Pick<Context, 'directory' | 'link' | 'log'>,
  { callId, seq, number }: CallEvent<FactOf<'LocationRequested'>>,
): void {
  lookUp(context, callId, seq, async () => {
    const place = DIGITS.test(number) ? await context.directory.locate(number) : undefined;
    return place && { type: 'LocationFound', requestId: seq, state: place.state, county: place.county };
  });
}

/** A group is known to its own account only. */
export function findGroup(
  context: Pick<Context, 'directory' | 'link' | 'log'>,
  ask: CallEvent<FactOf<'GroupRequested'>>,
): void {
  const { callId, seq, accountId } = ask;
  const group = ask.group.toLowerCase();
  lookUp(context, callId, seq, async () => {
    const targets = UUID.test(group) ? await context.directory.group(group, accountId) : undefined;
    return targets && { type: 'GroupFound', requestId: seq, targets: targets.slice(0, TARGETS_MAX) };
  });
}

/** Tells what was found, or why nothing was: it always tells. */
function lookUp(
  context: Pick<Context, 'directory' | 'link' | 'log'>,
  callId: string,
  requestId: number,
  find: () => Promise<Found | undefined>,
): void {
  const failed = (reason: string) => ({ type: 'LookUpFailed', requestId, reason }) as const;
  find()
    .then((found) => found ?? failed('unknown'))
    .catch((error: Error) => {
      if (!(error instanceof DirectoryAway)) context.log.error({ callId, error: error.message }, 'a look-up failed');
      return failed('unavailable');
    })
    .then((fact) => report(context, callId, fact))
    .catch(() => {});
}
