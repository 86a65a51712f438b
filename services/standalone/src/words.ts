/** What the person at the terminal is told. */
import type { Config } from '@opentact/runtime';
import { isLoopback, isWildcard, PUBLIC } from '@opentact/runtime';
import type { Demo } from './demo/demo.ts';

/** The last lines of a start: what runs, which key does what, what to try. */
export function lastWords(
  config: Config,
  demo: Demo,
  of: { tookMs: number; hasCallee: boolean; quiet: boolean },
): string {
  const host = isWildcard(config.bind) ? '127.0.0.1' : config.bind;
  const lan = isLoopback(config.bind)
    ? `Only this machine can call. To open it to your network:\n  ${homeOf(config)}OPENTACT_BIND=0.0.0.0 OPENTACT_GRPC_TOKEN=<a secret> npm start`
    : `It listens on ${config.bind}.`;
  const callee = of.hasCallee ? 'who answers, speaks and hangs up after 10 s' : 'who isn’t running';
  return `
Opentact is up (${(of.tookMs / 1000).toFixed(1)} s). Call ${demo.number}:

  ${homeOf(config)}npm run call     (in another terminal)
  sip:${demo.number}@${host}:${config.sipPort}     (from any SIP phone)

It asks for a key:
  1        the demo customer’s server is called back, and its document is heard
  2        the demo callee is dialled (${demo.callee}), ${callee}
  another  “Hi, nobody”, and the demo customer’s server is told by POST
  none     it asks once more, then says so

${lan}
State and logs: ${config.home}   Account: ${demo.email}, secrets in ${config.home}/demo.json
All of it for a shell: eval "$(${homeOf(config)}npm run -s env)"
Ready: http://${host}:${config.httpPort}/ready   gRPC: ${host}:${config.grpcPort}
${of.quiet ? '' : 'Stories of live calls follow, one line per event (--quiet: none). '}Ctrl-C stops everything.
`;
}

/** Other tools find it by its home, where that is not the usual one. */
function homeOf({ home }: Config): string {
  return home === PUBLIC.home.parse(PUBLIC.home.fallback!) ? '' : `OPENTACT_HOME=${quoted(home)} `;
}

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Told once, at the first start. */
export function firstWords(demo: Demo): string {
  return `Demo account made: ${demo.email}, password ${demo.password}, API key ${demo.apiKey}\n`;
}

/** What becomes of calls where the journal was in PostgreSQL and is on Kafka now. */
export const movedWords = (retainDays: number) =>
  `The journal is on Kafka now and was in PostgreSQL: calls that are over stay in the call log and their stories can be read, by REST and gRPC, for ${retainDays} days; calls that lived there are over.\n`;
