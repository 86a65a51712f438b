/** What tests hear of PostgreSQL. */
import pg from 'pg';

/** `name` of a prepared one. */
export type Asked = { name: string | undefined; text: string; values: unknown[] };

/** What every client of this process asks while `run` runs, heard at the driver. One `run` at a time. */
export async function queriesOf<T>(run: () => Promise<T>): Promise<{ result: T; asked: Asked[] }> {
  const asked: Asked[] = [];
  const { query } = pg.Client.prototype;
  const heard = function (this: pg.Client, ...args: unknown[]) {
    const [what, values = []] = args as [string | Partial<Asked>, unknown[]?];
    const { name, text = '', ...more } = typeof what === 'string' ? { text: what, values } : what;
    asked.push({ name, text, values: more.values ?? [] });
    return (query as (...all: unknown[]) => unknown).apply(this, args);
  };
  pg.Client.prototype.query = heard as typeof query;
  const result = await run().finally(() => {
    pg.Client.prototype.query = query;
  });
  return { result, asked };
}
