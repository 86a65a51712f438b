/** The engines that the registry lists, and a stream to each. It keeps a stream that answers, whatever the registry says. */
import type { EventLog, SeenNode } from '@opentact/event-log';
import type { LinkV1 } from '@opentact/proto';
import type { Logger } from '@opentact/runtime';
import { createEngineStream, type EngineStream, type OfEngine } from './engine-stream.ts';
import type { LocalEngines } from './local.ts';

const ENGINE_KIND = 'flow-engine';

export function createEngines(of: {
  registry: EventLog['registry'];
  token?: string | undefined;
  local?: LocalEngines | undefined;
  hello: () => LinkV1.NodeHello;
  log: Logger;
  heard(item: OfEngine, stream: EngineStream): void;
  ended(stream: EngineStream): void;
}): { sendAll(item: Parameters<EngineStream['send']>[0]): void; close(): void } {
  const streams = new Map<string, EngineStream>(); // by engine name/boot
  let closed = false;

  /** An engine that is gone, or was replaced by a newer boot, is not reconnected to. */
  function part(id: string, stream: EngineStream, isListed: boolean): void {
    stream.abandon();
    if (stream.open() && isListed) return; // Called gone, but it answers.
    stream.close();
    streams.delete(id);
  }
  function listed(nodes: readonly SeenNode[]): void {
    if (closed) return;
    const engines = new Map(nodes.filter((n) => n.kind === ENGINE_KIND).map((n) => [`${n.name}/${n.boot}`, n]));
    for (const [id, stream] of streams) if (engines.get(id)?.gone !== false) part(id, stream, engines.has(id));
    for (const [id, { gone, silentMs: _, ...engine }] of engines) {
      if (gone) continue;
      const known = streams.get(id);
      if (known) known.resume();
      else streams.set(id, createEngineStream({ ...of, engine }, of.heard, of.ended));
    }
  }
  const unwatch = of.registry.watch(listed);
  listed(of.registry.nodes());
  return {
    sendAll(item) {
      for (const stream of streams.values()) if (stream.open()) stream.send(item);
    },
    close() {
      closed = true;
      unwatch();
      for (const stream of streams.values()) stream.close();
    },
  };
}
