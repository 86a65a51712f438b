/** What is asked of a platform with a history, over and over: how long each kind of question takes. */
import { randomBytes } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { Platform } from '../kit/platform.ts';

const SKIP_MAX = 1_000_000;
const TAKE = 10;

export type Figure = { name: string; p50: number; p99: number; count: number; failed: number };

/** Each question once without being counted, then one after the other. */
export async function timed(name: string, times: number, ask: (n: number) => Promise<unknown>): Promise<Figure> {
  const took: number[] = [];
  let failed = 0;
  await ask(times).catch(() => {});
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    await ask(n).catch(() => failed++);
    took.push(performance.now() - began);
  }
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { name, p50: at(0.5), p99: at(0.99), count: times, failed };
}

export const rowOf = ({ name, p50, p99, count, failed }: Figure) =>
  `| ${name} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${count} | ${failed} |`;
export const HEADING = '| asked | p50 ms | p99 ms | times | failed |\n|---|---|---|---|---|';

type Asked = { platform: Platform; post(path: string, body: unknown): Promise<unknown>; ids: string[]; times: number };
type Page = { total: number; total_is_exact: boolean; until: string };

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

/** The first page of a search, and its deepest. @param rows how many it could find at most */
export async function search({ post, times }: Asked, { name, path, body }: Search, rows: number): Promise<Figure[]> {
  const page = (skip: number, until?: string) =>
    post(`${path}?take=${TAKE}&skip=${skip}${until ? `&until=${until}` : ''}`, body) as Promise<Page>;
  const first = await timed(`${name}, first page`, times, () => page(0));
  const { total, total_is_exact, until } = await page(0).catch(() => ({ total: 0, total_is_exact: true, until: '' }));
  const skip = Math.max(0, Math.min(SKIP_MAX, total_is_exact ? total : rows) - TAKE);
  if (skip === 0 || until === '') return [first];
  const jump = await timed(`${name}, row ${skip}`, Math.ceil(times / 10), () => page(skip, until));
  if (jump.failed > 0 || skip < TAKE) return [first, jump];
  const before = await page(skip - TAKE, until);
  return [first, jump, await timed(`${name}, row ${skip}, by the page before`, times, () => page(skip, before.until))];
}

/** Each filter of both logs. @param number one that is called. @param newest a moment of the last hour */
export function searches(app: string, call: string, number: string, from: string): Search[] {
  const calls = (name: string, body: Record<string, unknown>) => ({
    name: `calls ${name}`,
    path: '/call/search',
    body,
  });
  const flows = (name: string, body: Record<string, unknown>) => ({
    name: `flows ${name}`,
    path: `/sip/app/${app}/logs`,
    body,
  });
  return [
    calls('all', {}),
    calls('direction', { direction: 'out' }),
    calls('from, a number', { from: number }),
    calls('from, its beginning', { from: `${number.slice(0, 5)}*` }),
    calls('from, its end', { from: `*${number.slice(-4)}` }),
    calls('to', { to: `${number.slice(0, 3)}*` }),
    calls('tn', { tn: `${number.slice(0, 4)}*` }),
    calls('state offline', { state: 'offline' }),
    calls('state online', { state: 'online' }),
    calls('sip_control_app', { sip_control_app: app }),
    calls('created_on_from', { created_on_from: from }),
    calls('modified_on_from', { modified_on_from: from }),
    calls('OR', { from: `${number.slice(0, 5)}*`, direction: 'out', mode: 'OR' }),
    calls('by from', { order: { from: 'ASC' } }),
    calls('by state', { order: { state: 'ASC' } }),
    calls('by modified_on', { order: { modified_on: 'DESC' } }),
    flows('all', {}),
    flows('name', { name: 'Say' }),
    flows('success', { success: false }),
    flows('call', { call }),
    flows('created_on_from', { created_on_from: from }),
    flows('from, its beginning', { from: `${number.slice(0, 5)}*` }),
    flows('tn', { tn: number }),
    flows('by from', { order: { from: 'ASC' } }),
  ];
}
