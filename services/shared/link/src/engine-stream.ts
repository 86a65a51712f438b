/** One stream to one engine, kept for as long as the engine is listed: reconnects at once, then every half second. */
import { credentials } from '@grpc/grpc-js';
import type { Node } from '@opentact/event-log';
import { LinkV1 } from '@opentact/proto';
import { backoffMs, bearer, CHANNEL_OPTIONS, type Logger } from '@opentact/runtime';
import type { LocalEngines, NodeEnd } from './local.ts';
import { createOutbox, type Outbox } from './outbox.ts';

type ToEngine = NonNullable<LinkV1.NodeItem['item']>;
export type OfEngine = NonNullable<LinkV1.EngineItem['item']>;

/** Whoever accepts a connection but doesn't say hello in this time isn't an engine that can serve us. */
const HELLO_MS_MAX = 2000;
const RECONNECT = { firstMs: 50, maxMs: 500 };
/** Facts waiting in the store may all wait here as well, with the answers to as many asks. */
const ITEMS_MAX = 50_000;

export type EngineStream = {
  readonly engine: Node;
  /** The engine said hello on the stream that is open now. */
  open(): boolean;
  /** Said on the stream that is open now; without one it is dropped, because all that is owed is said again. */
  send(item: ToEngine): void;
  /** Reconnect no more; a stream that still answers stays. */
  abandon(): void;
  /** Abandoned too early: the engine lives. */
  resume(): void;
  close(): void;
};

const bytesOf = (item: ToEngine): number => (item.$case === 'fact' ? item.value.payload.byteLength + 64 : 96);

/** How an engine is reached: within this process where it is of it, else by gRPC. */
export type Reaching = { engine: Node; token?: string | undefined; local?: LocalEngines | undefined };

type Connection = { outbox: Outbox<ToEngine>; hello: boolean; end(): void };

/** A client of its own, so that no back-off of an earlier connection delays this one. */
function overGrpc({ engine, token }: Reaching): NodeEnd {
  const client = new LinkV1.EngineLinkClient(engine.address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const call = client.connect(bearer(token));
  const cancel = () => {
    call.cancel();
    client.close();
  };
  return { on: call.on.bind(call), write: (message) => call.write(message), end: () => call.end(), cancel };
}

/** Opens one call. `ended` is called once, for whatever reason. */
function connect(
  of: Reaching & { hello: () => LinkV1.NodeHello },
  heard: (item: OfEngine) => void,
  ended: (why: string) => void,
): Connection {
  const call = of.local?.connect(of.engine) ?? overGrpc(of);
  let over = false;
  const late = setTimeout(() => end('no hello'), HELLO_MS_MAX);
  const outbox = createOutbox<ToEngine>({
    itemsMax: ITEMS_MAX,
    bytesOf,
    write: (items) => call.write({ items: items.map((item) => ({ item })) }),
    overflow: () => end('too slow'),
  });
  const connection: Connection = { outbox, hello: false, end: () => end('closed here') };

  function end(why: string): void {
    if (over) return;
    over = true;
    clearTimeout(late);
    outbox.close();
    call.cancel();
    ended(why);
  }
  call.on('error', (error) => end(error.message));
  call.on('end', () => end('ended by the engine'));
  call.on('drain', () => outbox.drained());
  call.on('data', (message: LinkV1.FromEngine) => {
    for (const { item } of message.items) {
      if (over || !item) continue;
      if (item.$case === 'hello') {
        connection.hello = true;
        clearTimeout(late);
      }
      heard(item);
    }
  });
  outbox.push({ $case: 'hello', value: of.hello() });
  return connection;
}

/** @param heard every item of the engine, in order. @param closed the open stream broke. */
export function createEngineStream(
  of: Reaching & { hello: () => LinkV1.NodeHello; log: Logger },
  heard: (item: OfEngine, stream: EngineStream) => void,
  closed: (stream: EngineStream) => void,
): EngineStream {
  let connection: Connection | undefined;
  let wanted = true;
  let tries = 0;
  let timer: NodeJS.Timeout | undefined;

  function open(): void {
    const opened: Connection = connect(
      of,
      (item) => {
        if (item.$case === 'hello') tries = 0;
        heard(item, stream);
      },
      (why) => {
        const wasOpen = opened.hello;
        connection = undefined;
        if (wasOpen) {
          of.log.info({ engine: of.engine.name, engineBoot: of.engine.boot, why }, 'stream to engine ended');
          closed(stream);
        }
        if (wanted) timer = setTimeout(open, wasOpen ? 0 : backoffMs(++tries + 1, RECONNECT));
      },
    );
    connection = opened;
  }
  const stream: EngineStream = {
    engine: of.engine,
    open: () => connection?.hello === true,
    // That an ask was taken on matters only where it takes a second.
    send: (item) => connection?.outbox.push(item, item.$case === 'takenOn'),
    abandon() {
      wanted = false;
      clearTimeout(timer);
    },
    resume() {
      if (wanted) return;
      wanted = true;
      if (!connection) open();
    },
    close() {
      stream.abandon();
      connection?.end();
    },
  };
  open();
  return stream;
}
