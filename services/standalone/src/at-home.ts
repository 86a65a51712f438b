/** Before an example runs: what it is told, and where the platform is that was started in this home, unless its user said so. */
import { addressesOf } from '@opentact/runtime';
import { runningHome } from './running-home.ts';

const HELP = `npm run example
    From nothing to a recorded call over the REST API of the platform that runs in this home (OPENTACT_HOME, else .opentact
    of this clone; or at OPENTACT_URL): services/api/client/example.ts. It takes no options.
`;

const [option] = process.argv.slice(2);
if (option !== undefined) {
  process[option === '--help' ? 'stdout' : 'stderr'].write(HELP);
  process.exit(option === '--help' ? 0 : 2);
}
process.env.OPENTACT_URL ||= `http://${addressesOf(await runningHome('example')).http}`;
