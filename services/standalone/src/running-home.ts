/** What a command on this machine needs first: the configuration of the platform that runs in its home, or an end with a sentence. */
import { type Config, ConfigError, readHomeConfig, servingPid } from '@opentact/runtime';

/** Ends the command with a sentence for a person. */
function refuse(code: number, text: string): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

function configOf(program: string): Config {
  try {
    return readHomeConfig(program, process.env);
  } catch (fault) {
    if (!(fault instanceof ConfigError)) throw fault;
    return refuse(78, fault.message);
  }
}

/** Ends the process with 78 for a bad variable, with 1 where no platform runs. */
export async function runningHome(program: string): Promise<Config> {
  const config = configOf(program);
  if (await servingPid(config.home, 'api')) return config;
  return refuse(1, `No platform runs in ${config.home}. Start one in another terminal: npm start`);
}
