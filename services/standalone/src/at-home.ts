/** Before an example runs: what it is told, and where the platform is that was started in this home, unless its user said so. */
import { addressesOf, readHomeConfig, servingPid } from '@opentact/runtime';

const HELP = `npm run example
    From nothing to a recorded call over the REST API of the platform that runs in this home (OPENTACT_HOME, else .opentact
    of this clone; or at OPENTACT_URL): services/api/client/example.ts. It takes no options.
`;

const [option] = process.argv.slice(2);
if (option !== undefined) {
  process[option === '--help' ? 'stdout' : 'stderr'].write(HELP);
  process.exit(option === '--help' ? 0 : 2);
}
if (!process.env.OPENTACT_URL) {
  const config = readHomeConfig('example', process.env);
  if (!(await servingPid(config.home, 'api'))) {
    process.stderr.write(`No platform runs in ${config.home}. Start one in another terminal: npm start\n`);
    process.exit(1);
  }
  process.env.OPENTACT_URL = `http://${addressesOf(config).http}`;
}
