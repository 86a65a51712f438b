/**
 * The REST API as one fastify plugin below `/rest`: the same schemas are its validation, its types and its OpenAPI
 * document (`/rest/openapi.json`, with a page at `/rest/docs`). Every route but sign-up asks who it is first.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { inventoryCarrier } from '../carriers/inventory.ts';
import type { Database } from '../database/database.ts';
import { dictionaries } from '../http/dictionaries.ts';
import { places } from '../http/places.ts';
import type { Providers } from '../identity/provider.ts';
import type { Mail } from '../mail/mail.ts';
import { accountUsers } from './account-users.ts';
import { addresses } from './addresses.ts';
import { admin } from './admin.ts';
import { appDocuments } from './app-documents.ts';
import { apps } from './apps.ts';
import { assignments } from './assignments.ts';
import { createAttempts } from './attempts.ts';
import { createAuthenticator, type Identity } from './authenticate.ts';
import { avatars, endUserAvatars, pictures } from './avatars.ts';
import { batches } from './batches.ts';
import { callLog } from './call-log.ts';
import { calls } from './calls.ts';
import { cart } from './cart.ts';
import { endUserGroups } from './end-user-groups.ts';
import { createEndUserAuthenticator, type EndUser, endUsers, invited } from './end-users.ts';
import type { Engine } from './engine.ts';
import { answerErrors } from './errors.ts';
import { flowLog } from './flow-log.ts';
import { leaseSearch } from './lease-search.ts';
import { leases } from './leases.ts';
import { lergUpload } from './lerg-upload.ts';
import { money } from './money.ts';
import { moneyReports } from './money-reports.ts';
import { numbers } from './numbers.ts';
import { officeHours } from './office-hours.ts';
import { openApi } from './openapi.ts';
import { orderedCalls } from './ordered-calls.ts';
import { orders } from './orders.ts';
import { outboundVoice } from './outbound-voice.ts';
import { passwordReset } from './password-reset.ts';
import { people, signUp } from './people.ts';
import { products } from './products.ts';
import { recordings } from './recordings.ts';
import { resettableSipUsers, resettableUsers } from './resettable.ts';
import { createSeal } from './sealed.ts';
import { settings } from './settings.ts';
import { sipConnections } from './sip-connections.ts';
import { sipDomains, techPrefixes } from './sip-domains.ts';
import { sipInvites } from './sip-invites.ts';
import { sipSwitches } from './sip-switches.ts';
import { sipUsers } from './sip-users.ts';
import { tnProfiles } from './tn-profiles.ts';
import { tokens } from './tokens.ts';
import { validateRequests } from './validation.ts';

export type RestNeeds = {
  db: Database;
  /** Signs log-in tokens; the same in every process of an installation. */
  jwtKey: Uint8Array;
  engine: Engine;
  /** Who else vouches for users; left out: nobody. */
  providers?: Providers;
  /** Our client at Google, for front ends. */
  googleClientId?: string | undefined;
  /** What a new account may spend at once. */
  signUpCredit: number;
  /** Left out: nothing is mailed. */
  mail?: Mail;
  /** May the link of a mail lead to that origin? Left out: to any. */
  mayLeadTo?(origin: string): boolean;
  /** The folder of recordings. */
  recordings: string;
  /** Where faults of ours are told. */
  told(error: unknown): void;
};

export const rest =
  (needs: RestNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    const { db, jwtKey, engine, signUpCredit, told, providers, mail, mayLeadTo = () => true } = needs;
    answerErrors(http, told);
    validateRequests(http);
    const attempts = createAttempts();
    const authenticate = createAuthenticator(db, jwtKey, attempts, providers);
    await openApi(http);
    await http.register(dictionaries, { prefix: '/dict' });
    await http.register(places(db), { prefix: '/dict' });
    await http.register(signUp({ db, jwtKey, attempts, signUpCredit }));
    await http.register(settings(needs.googleClientId));
    await http.register(pictures(db));
    const seal = createSeal(db);
    const carrier = inventoryCarrier(db);
    for (const whose of [resettableUsers(db), resettableSipUsers(db, seal)])
      await http.register(passwordReset({ db, attempts, mail, mayLeadTo, told }, whose));
    const endUserNeeds = { db, seal, attempts };
    await http.register(invited(endUserNeeds));
    await http.register(async (inside) => {
      const who = createEndUserAuthenticator(endUserNeeds);
      inside.decorateRequest('endUser', null as unknown as EndUser);
      inside.addHook('onRequest', async (request) => {
        request.endUser = await who(request);
      });
      await inside.register(endUsers(endUserNeeds));
      await inside.register(endUserGroups(db));
      await inside.register(endUserAvatars(db));
    });
    await http.register(async (inside) => {
      inside.decorateRequest('identity', null as unknown as Identity);
      inside.addHook('onRequest', async (request) => {
        request.identity = await authenticate(request);
      });
      await inside.register(people({ db, jwtKey, attempts, signUpCredit }));
      await inside.register(accountUsers(db));
      await inside.register(avatars(db));
      await inside.register(addresses(db));
      await inside.register(officeHours(db));
      await inside.register(cart(db));
      await inside.register(tokens(db));
      await inside.register(apps(db));
      await inside.register(appDocuments(db, engine.check));
      await inside.register(numbers(carrier));
      await inside.register(orders(db, carrier));
      await inside.register(leases(db));
      await inside.register(leaseSearch(db));
      await inside.register(assignments(db));
      await inside.register(sipConnections(db));
      await inside.register(sipDomains(db));
      await inside.register(techPrefixes(db));
      await inside.register(sipSwitches(db));
      await inside.register(sipUsers(db, seal));
      await inside.register(sipInvites(db, seal));
      await inside.register(tnProfiles(db));
      await inside.register(outboundVoice(db));
      await inside.register(products(db));
      await inside.register(money(db));
      await inside.register(moneyReports(db));
      await inside.register(admin(db));
      await inside.register(lergUpload(db));
      await inside.register(calls(engine));
      await inside.register(orderedCalls(db, engine));
      await inside.register(batches(db, engine));
      await inside.register(callLog(db));
      await inside.register(flowLog(db));
      await inside.register(recordings(db, needs.recordings));
    });
  };
