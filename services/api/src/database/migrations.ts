/**
 * The steps that make api's tables, one file each in `migrations/`, in the order of their names. A step that was released is
 * never changed: what is to be otherwise is a step more. Two of one number can't be told apart by whoever reads them.
 */
import { readdir } from 'node:fs/promises';
import type { Migration } from 'kysely/migration';

const FOLDER = new URL('./migrations/', import.meta.url);

/** By their names, `001-directory`. @throws where a file holds no step, or two steps have one number */
export async function migrations(folder = FOLDER): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  const steps = await Promise.all(files.map((file) => stepOf(folder, file)));
  for (const [i, [name]] of steps.entries())
    if (numberOf(name) === numberOf(steps[i - 1]?.[0] ?? '')) throw new Error(`${name}: its number is taken`);
  return Object.fromEntries(steps);
}

const numberOf = (name: string) => name.slice(0, 3);

async function stepOf(folder: URL, file: string): Promise<[name: string, step: Migration]> {
  const found = Object.values((await import(new URL(file, folder).href)) as Record<string, Partial<Migration>>);
  const [step] = found;
  if (found.length !== 1 || !step?.up) throw new Error(`migrations/${file}: it must export one step, with \`up\``);
  return [file.replace(/\.ts$/, ''), step as Migration];
}
