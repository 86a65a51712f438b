/** A scene whose answers are read freely, with what tests of people need besides: files, an operator. */
import { type Asked, type Method, openRestScene, type Person, type RestScene } from './scene.ts';

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what its test expects of it
export type Said = { status: number; payload: any; message: string; fields: Record<string, unknown> };

export type Stand = Omit<RestScene, 'ask' | 'upload'> & {
  ask(method: Method, path: string, of?: Asked): Promise<Said>;
  /** In the field `file`. */
  upload(path: string, as: string, content: string | Buffer): Promise<Said>;
  /** The account of a user becomes the installation's own: its Admins are operators. */
  promote(person: Person): Promise<unknown>;
};

export async function openStand(needs: Parameters<typeof openRestScene>[0] = {}): Promise<Stand> {
  const scene = await openRestScene(needs);
  const read = ({ status, body }: Awaited<ReturnType<RestScene['ask']>>): Said => {
    const { payload, message = '', fields = {} } = body;
    return { status, payload, message, fields };
  };
  return {
    ...scene,
    ask: async (...asked) => read(await scene.ask(...asked)),
    upload: async (...sent) => read(await scene.upload(...sent)),
    promote: ({ accountId }) =>
      scene.db.updateTable('account').set({ level: 'ServiceAccount' }).where('id', '=', accountId).execute(),
  };
}
