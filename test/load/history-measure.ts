/** What is asked of a platform with a history, over and over: how long each kind of question takes. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Platform } from '../kit/platform.ts';

/** The 100,000th page. */
const DEEPEST = 999_990;
const TAKE = 10;
/** How far a page is from the one whose `until` it is asked with, on the way to the deepest. */
const HOP = 2_000;

/** `why`: of one that failed. */
export type Figure = {
  name: string;
  min: number;
  p50: number;
  p99: number;
  count: number;
  failed: number;
  why?: string;
};

/** Each question once without being counted, then one after the other. @param pauseMs after each */
export async function timed(
  name: string,
  times: number,
  ask: (n: number) => Promise<unknown>,
  pauseMs = 0,
): Promise<Figure> {
  const took: number[] = [];
  let failed = 0;
  let why = '';
  await ask(times).catch(() => {});
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    await ask(n).catch((error) => {
      failed++;
      why = String(error);
    });
    took.push(performance.now() - began);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { name, min: at(0), p50: at(0.5), p99: at(0.99), count: times, failed, ...(why && { why }) };
}

export const rowOf = ({ name, min, p50, p99, count, failed, why = '' }: Figure) =>
  `| ${name} | ${min.toFixed(1)} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${count} | ${failed} ${why.slice(0, 200)} |`;
export const HEADING = '| asked | least ms | p50 ms | p99 ms | times | failed |\n|---|---|---|---|---|---|';

type Asked = { platform: Platform; post(path: string, body: unknown): Promise<unknown>; ids: string[]; times: number };
type Page = { data: unknown[]; until: string };

/** One call, by whatever it may be asked for. */
export async function singles({ platform, ids, times }: Asked): Promise<Figure[]> {
  const { control } = platform;
  const id = (n: number) => ids[n % ids.length]!;
  const nobody = async () => {
    const hex = randomBytes(16).toString('hex');
    const unknown = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 28)}0000`;
    const code = await control.getCall(unknown).then(
      () => status.OK,
      (error: { code: number }) => error.code,
    );
    if (code !== status.NOT_FOUND) throw new Error(`status ${code}`);
  };
  return [
    await timed('GetCall, a past call', times, (n) => control.getCall(id(n))),
    await timed('GetCall, none such', times, nobody),
    await timed('StreamCallEvents, a past call', times, async (n) => {
      for await (const _ of control.events(id(n)));
    }),
  ];
}

export type Search = { name: string; path: string; body: Record<string, unknown> };

/** The first page of a search, and the deepest that it has up to the 100,000th, by the page before. */
export async function search({ post, times }: Asked, { name, path, body }: Search): Promise<Figure[]> {
  const page = (skip: number, until?: string) =>
    post(`${path}?take=${TAKE}&skip=${skip}${until ? `&until=${until}` : ''}`, body) as Promise<Page>;
  const first = await timed(`${name}, first page`, times, () => page(0));
  const found = await deepest(page).catch(String);
  if (typeof found === 'string')
    return [first, { ...first, name: `${name}, the way to its deepest page`, count: 1, failed: 1, why: found }];
  const { until, skip } = found;
  if (skip === 0) return [first];
  const nth = Math.round(skip / TAKE) + 1;
  return [first, await timed(`${name}, page ${nth}`, times, () => page(skip, until))];
}

/** The `until` of the page before, and how many rows lie before the deepest page; 0 where there is but one. */
async function deepest(
  page: (skip: number, until?: string) => Promise<Page>,
): Promise<{ until: string; skip: number }> {
  let [found, skip] = [await page(0), 0];
  for (let hop = HOP; hop >= TAKE; ) {
    const next = Math.min(skip + hop, DEEPEST - TAKE);
    // A machine that does something else may have no time for a hop.
    const further = next > skip ? await page(next, found.until).catch(() => page(next, found.until)) : undefined;
    if (further?.data.length === TAKE) [found, skip] = [further, next];
    else hop = Math.floor(hop / 8);
  }
  const isLast = found.data.length < TAKE || (await page(skip + TAKE, found.until)).data.length === 0;
  return { until: found.until, skip: isLast ? 0 : skip + TAKE };
}

/** Each filter of the call log, some together, and each order. @param number one that called @param from, to moments */
function callSearches(app: string, number: string, from: string, to: string): Array<[string, Record<string, unknown>]> {
  const beginning = (digits: number) => `${number.slice(0, digits)}*`;
  return [
    ['all', {}],
    ['direction', { direction: 'out' }],
    ['from, a number', { from: number }],
    ['from, five digits', { from: beginning(5) }],
    ['from, two digits', { from: beginning(2) }],
    ['from, + and two digits', { from: `+${beginning(2)}` }],
    ['from, a digit open', { from: `${number.slice(0, 5)}%${number.slice(6)}` }],
    ['from, its end', { from: `*${number.slice(-4)}` }],
    ['from, its middle', { from: `%${number.slice(1, 4)}*` }],
    ['to, three digits', { to: beginning(3) }],
    ['to, seven digits', { to: beginning(7) }],
    ['to, its end', { to: `*${number.slice(-4)}` }],
    ['tn, a number', { tn: Number(number) }],
    ['tn, four digits', { tn: beginning(4) }],
    ['tn, its end', { tn: `*${number.slice(-2)}` }],
    ['state offline', { state: 'offline' }],
    ['state online', { state: 'online' }],
    ['sip_control_app', { sip_control_app: app }],
    ['created_on_from', { created_on_from: from }],
    ['created_on_to', { created_on_to: to }],
    ['created_on_from and to', { created_on_from: to, created_on_to: from }],
    ['modified_on_from', { modified_on_from: from }],
    ['modified_on_to', { modified_on_to: to }],
    ['direction, from and to', { direction: 'in', from: beginning(2), to: beginning(2) }],
    ['direction, state, created_on_to', { direction: 'out', state: 'offline', created_on_to: to }],
    ['from and created_on_to', { from: beginning(4), created_on_to: to }],
    ['OR', { from: beginning(5), direction: 'out', mode: 'OR' }],
    ['OR of masks', { from: beginning(5), to: beginning(5), tn: beginning(6), mode: 'OR' }],
    ['by created_on, oldest first', { order: { created_on: 'ASC' } }],
    ['by from', { order: { from: 'ASC' } }],
    ['by to', { order: { to: 'DESC' } }],
    ['by tn', { order: { tn: 'ASC' } }],
    ['by state', { order: { state: 'ASC' } }],
    ['by modified_on', { order: { modified_on: 'DESC' } }],
    ['direction, by from', { direction: 'out', order: { from: 'ASC' } }],
  ];
}

/** @param call one of the flow log @param number one that called @param from a moment of the last hour @param to one long before */
export function searches(of: { app: string; call: string; number: string; from: string; to: string }): Search[] {
  const { app, call, number, from, to } = of;
  const flows: Array<[string, Record<string, unknown>]> = [
    ['all', {}],
    ['name', { name: 'Say' }],
    ['name that none has', { name: 'Dial' }],
    ['success', { success: false }],
    ['name and success', { name: 'Pause', success: false }],
    ['call', { call }],
    ['created_on_from', { created_on_from: from }],
    ['created_on_to', { created_on_to: to }],
    ['from, two digits', { from: `${number.slice(0, 2)}*` }],
    ['from, five digits', { from: `${number.slice(0, 5)}*` }],
    ['from, its end', { from: `*${number.slice(-4)}` }],
    ['tn', { tn: number }],
    ['by from', { order: { from: 'ASC' } }],
  ];
  return [
    ...callSearches(app, number, from, to).map(([name, body]) => ({
      name: `calls: ${name}`,
      path: '/call/search',
      body,
    })),
    ...flows.map(([name, body]) => ({ name: `flows: ${name}`, path: `/sip/app/${app}/logs`, body })),
  ];
}
