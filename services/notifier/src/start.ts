/** The notifier in this process: chooses its adapters, joins, and says in which order it leaves. */
import { createNodeLink, type NodeLink, type NodeStart } from '@opentact/link';
import { bootId, createLogger, hostPort, internalAddress, nodeToken, type Service } from '@opentact/runtime';
import { createDocuments } from './documents.ts';
import { createDoor } from './door/door.ts';
import { createGate, GATE_LIMITS, PROMPT_GATE_LIMITS } from './door/gate.ts';
import { servePrompts } from './prompts.ts';
import { servePublicEvents } from './public-events/serve.ts';
import { createSigningKeys } from './signing-keys.ts';

const until = async (done: () => boolean) => {
  while (!done()) await new Promise((next) => setTimeout(next, 20));
};

/** Resolves once it has joined the registry. */
export async function startNotifier({ config, name, events, local }: NodeStart): Promise<Service> {
  const boot = bootId();
  const log = createLogger({ service: 'notifier', node: name, boot, level: config.logLevel });
  const door = createDoor({ allowed: config.fetchAllow, userAgent: 'Opentact/0.1' });
  const gate = createGate();
  const token = await nodeToken(config);
  const keys = createSigningKeys(config.directory, token);
  const documents = createDocuments({ door, gate, keyOf: keys.of, now: Date.now, link: () => link, log });
  const promptGate = createGate(PROMPT_GATE_LIMITS);
  const load = () => 100 * Math.max(gate.busy() / GATE_LIMITS.total, promptGate.busy() / PROMPT_GATE_LIMITS.total);
  const prompts = await servePrompts({ door, gate: promptGate, log, host: config.bind, token });
  const link: NodeLink = createNodeLink({
    ...{ name, boot, kind: 'notifier', events, log, load, token, local },
    handlers: { ...documents, known: () => {}, hint: () => {} },
  });
  const address = hostPort(await internalAddress(config), prompts.port);
  await events.registry.join({ name, boot, kind: 'notifier', address, loadPercent: 0 }, load);
  const publicEvents = servePublicEvents({ log: events, name, logger: log });
  log.info({ address }, 'ready');
  const closeSockets = async () => {
    prompts.server.close();
    prompts.server.closeAllConnections();
    keys.close();
    await door.close();
  };
  return {
    checks: {
      log: () => events.ping().then(() => undefined),
      engines: () => (link.ready() ? undefined : 'some partitions have no owner'),
      store: () => (link.full() ? `${link.pending()} facts wait` : undefined),
    },
    leaving: [
      { name: 'notifier leaves the registry', deadlineMs: 1000, run: () => events.registry.leave(name) },
      { name: 'public events', deadlineMs: 1000, run: () => publicEvents.close() },
      { name: 'requests under way', deadlineMs: 3000, run: () => until(() => documents.underWay() === 0) },
      { name: 'facts of the notifier', deadlineMs: 1000, run: () => until(() => link.pending() === 0) },
      { name: 'link of the notifier', deadlineMs: 500, run: () => link.close() },
      { name: 'sockets of the notifier', deadlineMs: 500, run: closeSockets },
    ],
  };
}
