/**
 * The REST API as one fastify plugin below `/rest`: the same schemas are its validation, its types and its OpenAPI
 * document (`/rest/openapi.json`, with a page at `/rest/docs`). Every route but sign-up asks who it is first.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Mail } from './accounts/mail.ts';
import { account } from './accounts/rest/account.ts';
import { accountUsers } from './accounts/rest/account-users.ts';
import { addresses } from './accounts/rest/addresses.ts';
import { admin } from './accounts/rest/admin.ts';
import { avatars, pictures } from './accounts/rest/avatars.ts';
import { officeHours } from './accounts/rest/office-hours.ts';
import { passwordReset } from './accounts/rest/password-reset.ts';
import { people } from './accounts/rest/people.ts';
import { resettableUsers } from './accounts/rest/resettable.ts';
import { settings } from './accounts/rest/settings.ts';
import { signUp } from './accounts/rest/sign-up.ts';
import { tokens } from './accounts/rest/tokens.ts';
import { createVerification, type Verification, verification } from './accounts/rest/verification.ts';
import type { Engine } from './calls/engine.ts';
import { batches } from './calls/rest/batches.ts';
import { calls } from './calls/rest/calls.ts';
import { orderedCalls } from './calls/rest/ordered-calls.ts';
import type { Database } from './database/database.ts';
import { createLookup, type LookupSeal, type Seal } from './database/sealing/seal.ts';
import { sharedSecret } from './database/sealing/shared-secret.ts';
import { dictionaries } from './dictionaries/rest/dictionaries.ts';
import { lergUpload } from './dictionaries/rest/lerg-upload.ts';
import { places } from './dictionaries/rest/places.ts';
import { callLog } from './logs/rest/call-log.ts';
import { flowLog } from './logs/rest/flow-log.ts';
import { recordings } from './logs/rest/recordings.ts';
import { moneyReports } from './money/rest/reports.ts';
import { money } from './money/rest/transactions.ts';
import { inventoryCarrier } from './numbers/inventory-carrier.ts';
import { assignments } from './numbers/rest/assignments.ts';
import { cart } from './numbers/rest/cart.ts';
import { leaseSearch } from './numbers/rest/lease-search.ts';
import { leases } from './numbers/rest/leases.ts';
import { numbers } from './numbers/rest/number-search.ts';
import { orders } from './numbers/rest/orders.ts';
import { tnProfiles } from './numbers/rest/tn-profiles.ts';
import { type Attempts, createAttempts } from './rest/auth/attempts.ts';
import { createAuthenticator } from './rest/auth/authenticate.ts';
import type { Identity } from './rest/auth/identity.ts';
import type { Providers } from './rest/auth/provider.ts';
import { answerErrors } from './rest/errors.ts';
import { openApi } from './rest/openapi.ts';
import type { Http } from './rest/operation.ts';
import { validateRequests } from './rest/validation.ts';
import { appDocuments } from './sip/rest/app-documents.ts';
import { apps } from './sip/rest/apps.ts';
import { endUserAvatars } from './sip/rest/end-user-avatars.ts';
import { endUserGroups } from './sip/rest/end-user-groups.ts';
import { createEndUserAuthenticator, type EndUser, endUsers, invited } from './sip/rest/end-users.ts';
import { outboundVoice } from './sip/rest/outbound-voice.ts';
import { products } from './sip/rest/products.ts';
import { resettableSipUsers } from './sip/rest/resettable-sip-users.ts';
import { sipConnections } from './sip/rest/sip-connections.ts';
import { sipDomains, techPrefixes } from './sip/rest/sip-domains.ts';
import { sipInvites } from './sip/rest/sip-invites.ts';
import { sipSwitches } from './sip/rest/sip-switches.ts';
import { sipUsers } from './sip/rest/sip-users.ts';

export type RestNeeds = {
  db: Database;
  /** Signs log-in tokens; the same in every process of an installation. */
  jwtKey: Uint8Array;
  /** Seals what must be read again. */
  sealing: Seal;
  engine: Engine;
  /** Who else vouches for users; left out: nobody. */
  providers?: Providers;
  /** Our client at Google, for front ends. */
  googleClientId?: string | undefined;
  /** What a new account may spend at once, where the installation has no trunk. */
  signUpCredit: number;
  /** May anybody sign up? Left out: yes. */
  isSignUpOpen?: boolean;
  /** Must an e-mail be shown to be somebody's? Left out: no, as on loopback. */
  verifiesEmail?: boolean;
  /** Left out: nothing is mailed. */
  mail?: Mail;
  /** May the link of a mail lead to that origin? Left out: to any. */
  mayLeadTo?(origin: string): boolean;
  /** The folder of recordings. */
  recordings: string;
  /** Where faults of ours are told. */
  told(error: unknown): void;
};

/** What the routes share. */
type Shared = {
  needs: RestNeeds;
  attempts: Attempts;
  seal: LookupSeal;
  verified: Verification;
};

export const rest =
  (needs: RestNeeds): FastifyPluginAsyncTypebox =>
  async (http) => {
    const { db, mail, sealing, told } = needs;
    answerErrors(http, told);
    validateRequests(http);
    const shared: Shared = {
      needs,
      attempts: createAttempts(),
      seal: { ...sealing, lookup: createLookup(() => sharedSecret(db, 'lookup', sealing)) },
      verified: createVerification({ db, mail, required: needs.verifiesEmail ?? false, told }),
    };
    await openApi(http);
    await addPublicRoutes(http, shared);
    await http.register((inside) => addEndUserRoutes(inside, shared));
    await http.register((inside) => addAccountRoutes(inside, shared));
  };

/** For whoever comes, or has a token that was mailed or given. */
async function addPublicRoutes(http: Http, { needs, attempts, seal, verified }: Shared): Promise<void> {
  const { db, sealing, mail, told, signUpCredit: credit, mayLeadTo = () => true } = needs;
  await http.register(dictionaries, { prefix: '/dict' });
  await http.register(places(db), { prefix: '/dict' });
  const isOpen = needs.isSignUpOpen ?? true;
  await http.register(signUp({ db, seal: sealing, attempts, verification: verified, isOpen, credit }));
  await http.register(verification({ db, attempts }));
  await http.register(settings(needs.googleClientId));
  await http.register(pictures(db));
  for (const whose of [resettableUsers(db), resettableSipUsers(db, seal)])
    await http.register(passwordReset({ db, attempts, mail, mayLeadTo, told }, whose));
  await http.register(invited({ db, seal, attempts }));
}

/** For SIP users, by HA1B. */
async function addEndUserRoutes(http: Http, { needs: { db }, seal, attempts }: Shared): Promise<void> {
  const who = createEndUserAuthenticator({ db, seal, attempts });
  http.decorateRequest('endUser', null as unknown as EndUser);
  http.addHook('onRequest', async (request) => {
    request.endUser = await who(request);
  });
  await http.register(endUsers({ db, seal, attempts }));
  await http.register(endUserGroups(db));
  await http.register(endUserAvatars(db));
}

/** For users of an account. */
async function addAccountRoutes(http: Http, { needs, attempts, seal, verified }: Shared): Promise<void> {
  const { db, jwtKey, engine, providers } = needs;
  const authenticate = createAuthenticator(db, jwtKey, attempts, providers);
  const carrier = inventoryCarrier(db);
  http.decorateRequest('identity', null as unknown as Identity);
  http.addHook('onRequest', async (request) => {
    request.identity = await authenticate(request);
  });
  const features = [
    people({ db, jwtKey, verification: verified }),
    account(db),
    accountUsers(db, verified),
    avatars(db),
    addresses(db),
    officeHours(db),
    cart(db),
    tokens(db),
    apps(db, seal),
    appDocuments(db, engine.check),
    numbers(carrier),
    orders(db, carrier),
    leases(db),
    leaseSearch(db),
    assignments(db),
    sipConnections(db),
    sipDomains(db),
    techPrefixes(db),
    sipSwitches(db),
    sipUsers(db, seal),
    sipInvites(db, seal),
    tnProfiles(db),
    outboundVoice(db),
    products(db),
    money(db),
    moneyReports(db),
    admin(db),
    lergUpload(db),
    calls(engine),
    orderedCalls(db, engine),
    batches(db, engine),
    callLog(db),
    flowLog(db),
    recordings(db, needs.recordings),
  ];
  for (const feature of features) await http.register(feature);
}
