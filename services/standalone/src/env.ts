/**
 * `npm run env`: the running platform for a shell, one `export` a line. Secrets come out of files that only their owner may
 * read; whoever may not gets the rest.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressesOf, type FOR_SHELLS, type PUBLIC } from '@opentact/runtime';
import type { Demo } from './demo/demo.ts';
import { runningHome } from './running-home.ts';

const HELP = `npm run -s env
    What a shell must know of the platform that runs in this home (OPENTACT_HOME, else .opentact of this clone):
    addresses, ports, and the demo account with its key.  eval "$(npm run -s env)"
`;

type Told = (typeof FOR_SHELLS)[number] | (typeof PUBLIC)[keyof typeof PUBLIC]['name'];

/** The text of a file of the home; undefined, with a remark, where we may not read it. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'can’t be read' } = error as NodeJS.ErrnoException;
    process.stderr.write(`without what stands in ${path} (${code})\n`);
    return undefined;
  }
}

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const config = await runningHome('env');
const { sip, http, grpc } = addressesOf(config);
const lines: Partial<Record<Told, string | number>> = {
  OPENTACT_HOME: config.home,
  OPENTACT_BIND: config.bind,
  OPENTACT_SIP_PORT: config.sipPort,
  OPENTACT_HTTP_PORT: config.httpPort,
  OPENTACT_GRPC_PORT: config.grpcPort,
  OPENTACT_DEMO_PORT: config.demoPort,
  OPENTACT_RTP_PORTS: `${config.rtpPorts.first}-${config.rtpPorts.last}`,
  OPENTACT_URL: `http://${http}`,
  OPENTACT_SIP: `sip:${sip}`,
  OPENTACT_GRPC: grpc,
};
const demo = read(join(config.home, 'demo.json'));
if (demo) {
  const { number, accountId, email, password, apiKey }: Demo = JSON.parse(demo);
  Object.assign(lines, {
    OPENTACT_NUMBER: number,
    OPENTACT_ACCOUNT: accountId,
    OPENTACT_EMAIL: email,
    OPENTACT_PASSWORD: password,
    OPENTACT_API_KEY: apiKey,
  } satisfies typeof lines);
}
const token = config.grpcToken ?? read(join(config.home, 'operator.token'))?.trim();
if (token) lines.OPENTACT_GRPC_TOKEN = token;
for (const [name, value] of Object.entries(lines))
  process.stdout.write(`export ${name}='${String(value).replaceAll("'", `'\\''`)}'\n`);
