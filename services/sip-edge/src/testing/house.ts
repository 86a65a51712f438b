// An edge with everything around it faked but the sockets: one call of these begins every test of the edge.

import { type Edge, type EdgeOptions, openEdge } from '../edge/edge.ts';
import { type Directory, DirectoryAway, type Location, type Route, type Trunk } from '../edge/port.ts';
import { type FakeEngine, fakeEngine } from './engine.ts';
import { openPhone, type Phone } from './phone.ts';

export const SECRET = 'secret of the tests';

export const ROUTE: Route = {
  accountId: 'demo',
  app: undefined,
  callsMax: 100,
  dialsPerMinuteMax: 100,
  trunk: 'trunk-1',
  trunkUri: '',
  ownNumbers: [],
  knownSources: [],
  forEveryCaller: undefined,
};

/** Knows nobody. */
export const NO_DIRECTORY: Directory = {
  route: async () => undefined,
  known: () => undefined,
  trunk: async () => undefined,
  account: async () => undefined,
  locate: async () => undefined,
  group: async () => undefined,
  reserve: async () => ({}),
  reach: async () => ({}),
};

export type House = {
  edge: Edge;
  engine: FakeEngine;
  phone: Phone;
  routes: Map<string, Route>;
  /** Users that the Directory was asked about, one for each question. */
  asked: string[];
  trunks: Map<string, Trunk>;
  places: Map<string, Location>;
  /** Targets by `account/group`. */
  groups: Map<string, string[]>;
  /** `reserve` and `reach` say whether a leg may go out; they may reject. */
  settings: { loopDelayMs: number; directoryAway: boolean; reserve: Directory['reserve']; reach: Directory['reach'] };
  /** Another phone, on an address of its own where one is given. */
  another(address?: string, port?: number): Promise<Phone>;
  close(): Promise<void>;
};

/** `hurry` divides every timer: 20 makes T1 25 ms. */
export async function openHouse(options: { hurry?: number } & Partial<EdgeOptions> = {}): Promise<House> {
  const { hurry = 1, ...others } = options;
  const engine = fakeEngine();
  const routes = new Map([['18005550100', ROUTE]]);
  const asked: string[] = [];
  const trunks = new Map<string, Trunk>();
  const places = new Map<string, Location>();
  const groups = new Map<string, string[]>();
  const settings: House['settings'] = { loopDelayMs: 0, directoryAway: false, ...NO_DIRECTORY };
  function known<T>(answer: T): T {
    if (settings.directoryAway) throw new DirectoryAway('away');
    return answer;
  }
  const edge = await openEdge({
    bind: '127.0.0.1',
    port: 0,
    advertise: '127.0.0.1',
    reusePort: false,
    secret: SECRET,
    self: { node: 'edge', instanceId: 'b1' },
    link: engine.connect,
    directory: {
      async route({ user }) {
        asked.push(user);
        return known(routes.get(user));
      },
      known: ({ user }) => routes.get(user),
      trunk: async (id) => trunks.get(id),
      account: async (accountId) => known([...routes.values()].find((route) => route.accountId === accountId)),
      locate: async (number) => known(places.get(number)),
      group: async (group, accountId) => known(groups.get(`${accountId}/${group}`)),
      reserve: (of) => settings.reserve(of),
      reach: (of) => settings.reach(of),
    },
    allowed: (address) => address === '127.0.0.1',
    loopDelayMs: () => settings.loopDelayMs,
    log: { info() {}, warn() {}, error: (fields, message) => console.error(message, fields) },
    clock: {
      nowMs: () => performance.now(),
      after(ms, fire) {
        const timer = setTimeout(fire, ms / hurry);
        timer.unref();
        return () => clearTimeout(timer);
      },
    },
    ...others,
  });
  const phones: Phone[] = [await openPhone(edge.port)];
  return {
    edge,
    engine,
    phone: phones[0]!,
    routes,
    asked,
    trunks,
    places,
    groups,
    settings,
    async another(address, port) {
      const phone = await openPhone(edge.port, address, port);
      phones.push(phone);
      return phone;
    },
    async close() {
      for (const phone of phones) phone.close();
      await edge.close();
    },
  };
}
