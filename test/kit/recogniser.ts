/**
 * Debian's pocketsphinx, as an ear that knows nothing of us. It wants 16 kHz, so what a phone heard is doubled by a
 * half-band filter: repeated samples alone are not understood.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PACKAGES = ['pocketsphinx', 'pocketsphinx-en-us'];
const TAPS = 31;
export const RECOGNISER = 'pocketsphinx_continuous';

const has = () => spawnSync('sh', ['-c', `command -v ${RECOGNISER}`]).status === 0;

/** False where there is a recogniser, installed if this may be done; else why not. */
export function recogniserMissing(): string | false {
  if (!has() && process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES];
    spawnSync('apt-get', install, { stdio: 'ignore', env, timeout: 120_000 });
  }
  return has() ? false : `needs Debian's ${PACKAGES.join(' and ')}`;
}

/** @param pcm 8 kHz. @returns the words, lower case. It listens twice: the first time gets it used to the voice. */
export async function recognise(pcm: Int16Array): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'opentact-heard-'));
  const file = join(folder, 'heard.raw');
  const once = Buffer.from(doubled(pcm).buffer);
  writeFileSync(file, Buffer.concat([once, once]));
  try {
    const args = ['-n', '10', RECOGNISER, '-infile', file, '-logfn', '/dev/null'];
    const { stdout } = await promisify(execFile)('nice', args, { timeout: 90_000 });
    return stdout.replace(/\s+/g, ' ').trim().toLowerCase();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Twice the rate: a windowed sinc at half of the old band, every other tap of which is nothing. */
function doubled(pcm: Int16Array): Int16Array {
  const middle = (TAPS - 1) / 2;
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const x = i - middle;
    const sinc = x === 0 ? 1 : Math.sin((Math.PI * x) / 2) / ((Math.PI * x) / 2);
    return sinc * (0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (TAPS - 1)));
  });
  return Int16Array.from({ length: pcm.length * 2 }, (_, n) => {
    let sum = 0;
    for (let k = (n + middle) % 2; k < TAPS; k += 2) sum += taps[k]! * (pcm[(n + middle - k) / 2] ?? 0);
    return Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  });
}
