/** Types, lint, who may import whom (with planted violations), dead code, the wire contract. Prints what fails; ends 1. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = `${ROOT}test/tools/node_modules/.bin/`;
const PATHS: Record<string, string> = { buf: `${ROOT}proto/node_modules/.bin/buf`, node: process.execPath };

/** Each check with the command that repeats it alone. */
const CHECKS: Array<{ name: string; command: string; args: string[]; cwd?: string }> = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'lint and format', command: 'biome', args: ['ci', '--colors=off', '--error-on-warnings', '.'] },
  {
    name: 'who may import whom',
    command: 'depcruise',
    args: ['services', 'proto', 'test', '--config', '.dependency-cruiser.cjs'],
  },
  {
    name: 'the rules catch what they name',
    command: 'node',
    args: ['--test', '--test-reporter=dot', 'test/architecture/*.test.ts'],
  },
  { name: 'how long files and functions are', command: 'node', args: ['test/architecture/sizes.ts'] },
  { name: 'dead code', command: 'knip', args: ['--no-progress'] },
  { name: 'the wire contract', command: 'buf', args: ['lint'], cwd: `${ROOT}proto` },
  {
    name: 'the wire contract is kept',
    command: 'buf',
    args: ['breaking', '--against', 'image.binpb'],
    cwd: `${ROOT}proto`,
  },
];

type Result = { name: string; code: number; output: string; tookMs: number };

function run({ name, command, args, cwd = ROOT }: (typeof CHECKS)[number]): Promise<Result> {
  const started = Date.now();
  return new Promise((done) => {
    const path = PATHS[command] ?? `${BIN}${command}`;
    const child = spawn(path, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    });
    let output = '';
    child.stdout.on('data', (d) => (output += d));
    child.stderr.on('data', (d) => (output += d));
    child.on('error', (error) =>
      done({ name, code: 1, output: `${path}: ${error.message}`, tookMs: Date.now() - started }),
    );
    child.on('close', (code) => done({ name, code: code ?? 1, output, tookMs: Date.now() - started }));
  });
}

/** Runs all checks, two at a time. @returns how many failed. */
export async function check(): Promise<{ passed: number; failed: number }> {
  const queue = [...CHECKS];
  let failed = 0;
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { name, code, output, tookMs } = await run(next);
      process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${(tookMs / 1000).toFixed(1)} s)\n`);
      if (code !== 0) process.stdout.write(`${output.trim().split('\n').slice(-60).join('\n')}\n`);
      failed += code === 0 ? 0 : 1;
    }
  };
  await Promise.all([worker(), worker()]);
  return { passed: CHECKS.length - failed, failed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { failed } = await check();
  process.exitCode = failed > 0 ? 1 : 0;
}
