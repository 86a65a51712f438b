/**
 * A sign of death that needs no lock: one idle connection to the address of each node. When one that was made breaks
 * and making it again is refused, nobody listens there any more. Silence, a refusal from the start, an address that
 * can't be reached: no sign. A frozen process keeps its connection.
 */
import { connect, type Socket } from 'node:net';

const CONNECT_MS = 500;
const AGAIN_MS = 500;
/** A connection that ends sooner may be one too many for its listener: it isn't made again at once. */
const LASTING_MS = 1000;
/** A beat that was under way as its writer died may still be read; a second one was written by a living process. */
const BEATS_OF_LIFE = 2;

export type Watch = {
  /** Keeps an eye on exactly these. */
  follow(nodes: Array<{ name: string; boot: string; address: string; beats: number }>): void;
  /** True: dead. Undefined: no sign. */
  isFree(name: string, boot: string): true | undefined;
  close(): void;
};

type Watched = { stop(): void; beats: number; deadAtBeats: number | undefined };

/** `host:port`, `[v6]:port` or `unix:/path`; undefined where it is none of these. */
function endpoint(address: string): { host: string; port: number } | { path: string } | undefined {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') };
  const found = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  if (!found || Number(found[3]) === 0) return undefined;
  return { host: found[1] ?? found[2]!, port: Number(found[3]) };
}

function watch(address: string, died: () => void): () => void {
  const target = endpoint(address);
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let wasMade = false;

  function attempt(): void {
    if (stopped || !target) return;
    const opening = connect({ ...target, timeout: CONNECT_MS });
    socket = opening;
    let madeAt: number | undefined;
    let code: string | undefined;
    opening.once('connect', () => {
      madeAt = performance.now();
      wasMade = true;
      opening.setTimeout(0);
      opening.unref();
    });
    opening.on('timeout', () => opening.destroy());
    opening.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    opening.once('close', () => {
      if (stopped) return;
      // The socket file of a dead process stays, and refuses; one that was removed is the same answer.
      const isRefused = code === 'ECONNREFUSED' || (code === 'ENOENT' && 'path' in target!);
      if (madeAt === undefined && wasMade && isRefused) died();
      const lasted = madeAt !== undefined && performance.now() - madeAt >= LASTING_MS;
      timer = setTimeout(attempt, lasted ? 0 : AGAIN_MS).unref();
    });
    opening.resume();
  }
  attempt();
  return () => {
    stopped = true;
    clearTimeout(timer);
    socket?.destroy();
  };
}

export function watchAddresses(): Watch {
  const watched = new Map<string, Watched>();
  return {
    follow(nodes) {
      const keys = new Set(nodes.map((n) => `${n.name}/${n.boot}`));
      for (const [key, { stop }] of watched)
        if (!keys.has(key)) {
          stop();
          watched.delete(key);
        }
      for (const { name, boot, address, beats } of nodes) {
        const key = `${name}/${boot}`;
        const of = watched.get(key);
        if (!of) {
          const added: Watched = { stop: () => {}, beats, deadAtBeats: undefined };
          watched.set(key, added);
          added.stop = watch(address, () => {
            added.deadAtBeats ??= added.beats;
          });
          continue;
        }
        of.beats = beats;
        if (of.deadAtBeats !== undefined && beats >= of.deadAtBeats + BEATS_OF_LIFE) of.deadAtBeats = undefined;
      }
    },
    isFree: (name, boot) => (watched.get(`${name}/${boot}`)?.deadAtBeats === undefined ? undefined : true),
    close() {
      for (const { stop } of watched.values()) stop();
      watched.clear();
    },
  };
}
