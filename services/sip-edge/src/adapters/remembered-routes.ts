// Whose a number or name is, remembered by who calls it and by itself. A staged document's address is never remembered, since
// it may be dialled only once. It refuses to ask about names that nobody's number or domain can have.

import { isIP } from 'node:net';
import { createBoundedMap } from '@opentact/runtime';
import { type Directory, DirectoryAway, type Route, type RouteQuestion } from '../edge/port.ts';
import { fromKnownSource } from './known-sources.ts';
import {
  ENTRIES_MAX,
  memoryOf,
  type Remembered,
  ROUTE_FRESH_MS,
  ROUTE_LIMITS,
  ROUTES_BYTES_MAX,
} from './remembered.ts';

/** Nobody's number or name is longer; what a caller calls themselves is cut there. */
const USER_LENGTH_MAX = 128;
const HOST_LENGTH_MAX = 255;
const STAGED = /^doc-/;

export function rememberedRoutes(
  ask: (question: RouteQuestion) => Promise<Remembered<Route>>,
): Pick<Directory, 'known' | 'route'> {
  /** Latest answer about an address: what there is while the Directory is away, and for every caller where it says so. */
  const addresses = createBoundedMap<{ route: Route; at: number }>(ENTRIES_MAX, ROUTES_BYTES_MAX);
  const routes = memoryOf<Route>(ROUTE_LIMITS, async (key) => {
    const question = JSON.parse(key) as RouteQuestion;
    try {
      const remembered = await ask(question);
      const { answer } = remembered;
      if (!answer) addresses.delete(addressOf(question));
      else if (answer.refusal === undefined)
        addresses.set(addressOf(question), { route: answer, at: performance.now() });
      return remembered;
    } catch (error) {
      // Its screening of this caller is not known, but whose number it is has not changed.
      const known = addresses.get(addressOf(question));
      if (error instanceof DirectoryAway && known) return { answer: known.route };
      throw error;
    }
  });

  async function routeOf(of: RouteQuestion): Promise<Route | undefined> {
    if (!canBeAnybodys(of)) return undefined;
    const question = { ...of, fromUser: of.fromUser.slice(0, USER_LENGTH_MAX) };
    if (STAGED.test(question.user)) return (await ask(question)).answer;
    const asked = { ...question, ...placeOf(question), callId: '' };
    const known = addresses.get(addressOf(asked));
    if (known?.route.forEveryCaller && performance.now() - known.at < ROUTE_FRESH_MS) return known.route;
    return (await routes.get(JSON.stringify(asked))).answer;
  }

  return {
    known(question) {
      if (!canBeAnybodys(question)) return undefined;
      const address = addressOf({ ...question, ...placeOf(question) });
      const found = addresses.get(address);
      if (found) addresses.touch(address);
      return found && fromKnownSource(found.route, question.sourceAddress);
    },
    async route(question) {
      const route = await routeOf(question);
      return route && fromKnownSource(route, question.sourceAddress);
    },
  };
}

/**
 * What an answer depends on beside the user and the caller. At a numeric host (ours) a number is whose it is wherever the
 * call came from; at a domain's name it may matter which machine calls.
 */
function placeOf({ host, sourceAddress }: RouteQuestion): { host: string; sourceAddress: string } {
  if (isIP(host.replace(/^\[|\]$/g, ''))) return { host: '', sourceAddress: '' };
  return { host, sourceAddress: sourceAddress.replace(/:\d+$/, '') };
}

const canBeAnybodys = ({ user, host }: RouteQuestion) =>
  user.length <= USER_LENGTH_MAX && host.length <= HOST_LENGTH_MAX;

const addressOf = ({ user, host, sourceAddress }: RouteQuestion) => `${user}@${host}/${sourceAddress}`;
