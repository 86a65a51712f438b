/** The notifier as a process: reads the environment once, chooses adapters, leaves in order. */
import { openLog } from '@opentact/event-log';
import { createNodeLink, type NodeLink } from '@opentact/link';
import {
  bootId,
  configOrExit,
  createLogger,
  createShutdown,
  internalAddress,
  nodeToken,
  serveHealth,
} from '@opentact/runtime';
import { createDocuments } from './documents.ts';
import { createDoor } from './door/door.ts';
import { createGate, GATE_LIMITS, PROMPT_GATE_LIMITS } from './door/gate.ts';
import { servePrompts } from './prompts.ts';
import { servePublicEvents } from './public-events/serve.ts';
import { createSigningKeys } from './signing-keys.ts';

const config = configOrExit('notifier', process.env, process.argv.slice(2));
const boot = bootId();
const log = createLogger({ service: 'notifier', node: config.nodeName, boot, level: config.logLevel });
const shutdown = createShutdown(log);

const events = await openLog(config);
const door = createDoor({ allowed: config.fetchAllow, userAgent: 'Opentact/0.1' });
const gate = createGate();
const token = await nodeToken(config);
const keys = createSigningKeys(config.directory, token);
const documents = createDocuments({ door, gate, keyOf: keys.of, now: Date.now, link: () => link, log });
const promptGate = createGate(PROMPT_GATE_LIMITS);
const load = () => 100 * Math.max(gate.busy() / GATE_LIMITS.total, promptGate.busy() / PROMPT_GATE_LIMITS.total);
const prompts = await servePrompts({ door, gate: promptGate, log, host: config.bind, token });
const host = await internalAddress(config);

const link: NodeLink = createNodeLink({
  name: config.nodeName,
  boot,
  kind: 'notifier',
  events,
  log,
  load,
  token,
  handlers: { ...documents, known: () => {}, hint: () => {} },
});
const health = await serveHealth(config.health, {
  log: () => events.ping().then(() => undefined),
  engines: () => (link.ready() ? undefined : 'some partitions have no owner'),
  store: () => (link.full() ? `${link.pending()} facts wait` : undefined),
});
const address = `${host.includes(':') ? `[${host}]` : host}:${prompts.port}`;
await events.registry.join({ name: config.nodeName, boot, kind: 'notifier', address, loadPercent: 0 }, load);
const publicEvents = servePublicEvents({ log: events, name: config.nodeName, logger: log });
log.info({ address }, 'ready');

const until = async (done: () => boolean) => {
  while (!done()) await new Promise((next) => setTimeout(next, 20));
};
shutdown.step('leave the registry', 1000, () => events.registry.leave());
shutdown.step('public events', 1000, () => publicEvents.close());
shutdown.step('requests under way', 3000, () => until(() => documents.underWay() === 0));
shutdown.step('facts not yet durable', 1000, () => until(() => link.pending() === 0));
shutdown.step('link', 500, () => link.close());
shutdown.step('sockets', 500, async () => {
  prompts.server.close();
  prompts.server.closeAllConnections();
  keys.close();
  await Promise.all([health.close(), door.close()]);
});
shutdown.step('log', 1000, () => events.close());
