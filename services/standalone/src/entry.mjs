/**
 * Entry of `npm run call`, `env`, `example` and `flow`. It runs on whatever Node the machine has, before any install, and
 * then says what to do; otherwise it hands over to the Node that the project brings.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const TOOLS = {
  call: ['services/phone/src/cli/main.ts'],
  env: ['services/standalone/src/env.ts'],
  example: ['services/standalone/src/at-home.ts', 'services/api/client/example.ts'],
  flow: ['services/flow-engine/src/cli/main.ts'],
};
const [tool = '', ...args] = process.argv.slice(2);
const node = join(root, 'node_modules/.bin/node');

if (!existsSync(node) || !existsSync(join(root, 'proto/gen'))) {
  process.stderr.write(
    `Nothing is installed yet. Run "npm start" once (it installs, then runs the platform), or:\n\n  npx -y pnpm@12.21.0 install --frozen-lockfile\n\nand then: npm run ${tool} -- ${args.join(' ')}\n`,
  );
  process.exit(1);
}
const scripts = TOOLS[tool].map((path) => join(root, path));
const before = scripts.slice(0, -1).flatMap((path) => ['--import', path]);
const child = spawn(node, [...before, scripts.at(-1), ...args], { stdio: 'inherit', cwd: process.cwd() });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
