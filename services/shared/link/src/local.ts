/**
 * The link inside one process: what an engine and a node of the same process say to each other goes as it is, neither
 * encoded nor sent. The two halves are those of the stream over gRPC, with the same order and the same gathering per turn.
 */
import { EventEmitter } from 'node:events';
import type { LinkV1 } from '@opentact/proto';

/** What either half needs of a stream: gRPC's duplex streams have it, and a local end. */
export type Stream<In, Out> = {
  on(event: 'data', heard: (message: In) => void): unknown;
  on(event: 'end' | 'cancelled' | 'drain', happened: () => void): unknown;
  on(event: 'error', failed: (error: Error) => void): unknown;
  /** @returns false where no more should be written before `drain`. */
  write(message: Out): boolean;
  end(): unknown;
};
export type EngineEnd = Stream<LinkV1.FromNode, LinkV1.FromEngine>;
export type NodeEnd = Stream<LinkV1.FromEngine, LinkV1.FromNode> & { cancel(): void };

/** The engines of this process, which its nodes reach without a network. */
export type LocalEngines = {
  /** Called by an engine once, before it joins the registry. */
  offer(engine: { name: string; boot: string }, connect: (stream: EngineEnd) => void): void;
  /** A stream to that engine; undefined where it is another process's. */
  connect(engine: { name: string; boot: string }): NodeEnd | undefined;
};

export function createLocalEngines(): LocalEngines {
  const offered = new Map<string, (stream: EngineEnd) => void>();
  const idOf = ({ name, boot }: { name: string; boot: string }) => `${name}/${boot}`;
  return {
    offer: (engine, connect) => void offered.set(idOf(engine), connect),
    connect(engine) {
      const accept = offered.get(idOf(engine));
      if (!accept) return undefined;
      const [ofEngine, ofNode] = [new EventEmitter(), new EventEmitter()];
      let isOver = false;
      /** Both sides hear it once, and not before whoever says it has done. */
      const end = () => {
        if (isOver) return;
        isOver = true;
        queueMicrotask(() => {
          ofEngine.emit('cancelled');
          ofNode.emit('end');
        });
      };
      const to = <T>(other: EventEmitter) => ({
        write(message: T) {
          if (!isOver) other.emit('data', message);
          return true;
        },
        end,
      });
      const engineEnd: EngineEnd = { on: ofEngine.on.bind(ofEngine), ...to<LinkV1.FromEngine>(ofNode) };
      const nodeEnd: NodeEnd = { on: ofNode.on.bind(ofNode), ...to<LinkV1.FromNode>(ofEngine), cancel: end };
      accept(engineEnd);
      return nodeEnd;
    },
  };
}
