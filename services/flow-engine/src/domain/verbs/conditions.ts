/** The blocks that run on a condition. What they test is a fact: the call, its clock, or where the Directory says a number is. */
import type { CallEvent, Decided } from '@opentact/proto/events';
import type { Call, Running } from '../call.ts';
import { callObject } from '../document-request.ts';
import { BLOCK } from '../frames.ts';
import { isSame } from '../language/scalar.ts';
import type { CallBlock, Geo, Scalar, Schedule } from '../language/verb.ts';
import { end, type Performer } from '../performer.ts';
import { isTimeZone } from './conditions-syntax.ts';

const judged = (running: Running, matches: boolean): Decided[] => [
  matches ? end(running, true, 'matched', { branch: BLOCK }) : end(running, true, 'not-matched'),
];

export const callPerformer: Performer<CallBlock> = {
  needs: 'nothing',
  begin: ({ field, value }, call, running) => judged(running, isSame(fieldOf(call, field), value)),
  on: () => [],
};

/** A field of the call as customers see it; null where it has none, or where it is no scalar. */
function fieldOf(call: Call, path: string): Scalar {
  const whole = callObject(call);
  const variable = /^meta\.(.+)$/.exec(path)?.[1];
  if (variable !== undefined) return (dig(call.flow.meta, [variable]) as Scalar | undefined) ?? null;
  const found = dig(whole, path.split('.'));
  return found === undefined || typeof found === 'object' ? null : (found as Scalar);
}

function dig(from: unknown, names: string[]): unknown {
  return names.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined,
    from,
  );
}

export const schedulePerformer: Performer<Schedule> = {
  needs: 'nothing',
  begin: (schedule, call, running, at) => {
    const named = schedule.timeZone || call.app.timeZone || 'UTC';
    return judged(running, isWithin(schedule, at, isTimeZone(named) ? named : 'UTC'));
  },
  on: () => [],
};

const DAY_S = 86_400;
const SHORT = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const CLOCKS_MAX = 1_000;
const clocks = new Map<string, Intl.DateTimeFormat>();

/** A zone's clock; made once, since making it takes longer than a hundred readings. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) return known;
  if (clocks.size >= CLOCKS_MAX) clocks.clear();
  const two = '2-digit';
  const of = { timeZone, weekday: 'short', hour: two, minute: two, second: two, hourCycle: 'h23' } as const;
  const made = new Intl.DateTimeFormat('en-US', of);
  clocks.set(timeZone, made);
  return made;
}

function isWithin({ days, time }: Schedule, at: number, timeZone: string): boolean {
  const parts = clockOf(timeZone).formatToParts(at);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  const today = SHORT.indexOf(part('weekday'));
  const second = (Number(part('hour')) * 3600 + Number(part('minute')) * 60 + Number(part('second'))) % DAY_S;
  const fits = (day: number) => days.length === 0 || days.includes(day);
  if (!time) return fits(today);
  if (time.from <= time.to) return fits(today) && second >= time.from && second <= time.to;
  // Overnight: before midnight it is today's range, after it yesterday's.
  return (fits(today) && second >= time.from) || (fits((today + 6) % 7) && second <= time.to);
}

export const geoPerformer: Performer<Geo> = {
  needs: 'nothing',
  begin: (geo, call, running) => {
    if (geo.states.length === 0 && !geo.county) return judged(running, true);
    const { location } = call.flow;
    if (location) return judged(running, isIn(geo, location));
    const number = call.from.replace(/^\+/, '');
    if (!/^\d{3,15}$/.test(number)) return judged(running, false); // withheld, or no number at all
    return [{ type: 'LocationRequested', leg: 0, number }];
  },
  learn: (memory, event) => (event.type === 'LocationRequested' ? { ...memory, request: event.seq } : memory),
  on: (event: CallEvent, geo, _call, running) => {
    if (!('requestId' in event) || event.requestId !== running.memory.request) return [];
    if (event.type === 'LocationFound') return judged(running, isIn(geo, event));
    return event.type === 'LookUpFailed' || event.type === 'RequestFailed' ? judged(running, false) : [];
  },
};

const isIn = ({ states, county }: Geo, at: { state: string; county: string }) =>
  (states.length === 0 || states.includes(at.state)) && (county === '' || county === at.county);
