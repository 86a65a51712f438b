/** What the commands of the documentation send, and where they learn what they name. Numbers and addresses are fictitious. */

const POST = ' -X POST';
const LEASES = { path: '/rest/lease/tn', more: '', field: 'uuid' };
const APPS = { path: '/rest/sip/app', more: '' };
const oneself = (path: string) => ({ path, more: '' });

export const DOCUMENT = '<Response><Say>Hello, and good bye.</Say></Response>';

/**
 * By which path the last part of a path is learned, where one isn't made for the purpose: what every account has, or what
 * costs to make. Null: there may be none, and a command can't make one.
 */
export const SOURCES: Record<string, { path: string; more: string } | null> = {
  '/rest/account': oneself('/rest/account'),
  '/rest/lease/tn': oneself('/rest/lease/tn'),
  '/rest/recording': null,
  '/rest/sip/app': APPS,
  '/rest/sip/domain/{domain}/invite': null,
  '/rest/sip/app/call/flow': APPS,
  '/rest/token': { path: '/rest/token/list', more: '' },
  '/rest/transaction': { path: '/rest/transaction/search', more: POST },
  '/rest/user': oneself('/rest/user'),
};

/** By which operation one is made, where that is not a POST to the list above it. */
export const MAKERS: Record<string, string> = {
  '/rest/sip/app/call/flow': '/rest/sip/app',
  '/rest/call/sca': '/rest/call',
  '/rest/sip/app/call': '/rest/call',
};

/** Operations that change an app: one of their own, so that no number's is changed. */
export const OF_OWN_APP = ['ModifySIPControlApp', 'SaveSIPControlAppStaticCallFlow'];

/** Parameters of paths that are one of a few words. */
export const PARAMETERS: Record<string, string> = {
  '/rest/transaction/report/dashboard/{ref_type}': 'voice_incoming',
  '/rest/admin/schedule/{action}': 'tn_leases_autorenew',
};

/** What `$name` in a body stands for. */
export const VARIABLES: Record<string, { path: string; more: string; field: string }> = {
  lease: LEASES,
  app: { ...APPS, field: 'uuid' },
  tn: {
    path: '/rest/tn/search',
    more: ` -H 'content-type: application/json' -d '{"pattern":"305*"}'`,
    field: 'tn',
  },
};

/** Operations that take a document in the field `file`. */
export const UPLOADS = [
  'SaveSIPControlAppStaticCallFlow',
  'RunCallDocument',
  'ExecuteSIPControlAppCallExecuteCallFlow',
];

const CALLEE = 'sip:1000@127.0.0.1:$OPENTACT_DEMO_PORT';

/** JSON bodies, by operation, where its schema has no example. `$RANDOM` is the shell's: what must be new is new each time. */
export const BODIES: Record<string, unknown> = {
  AddUserToAccount: { email: 'bob.$RANDOM@example.test', password: 'correct horse battery' },
  ChangeBlacklist: { add: ['+1900*'] },
  ChangeWhitelist: { add: ['+13055550199'] },
  CreateAccountOfficeHours: { type: 'lunchtime', dow: 'mon', time_from: 43_200, time_to: 46_800 },
  CreateAddress: {
    ...{ name: 'Office', is_physical: true, is_billing: false, is_shipping: false },
    ...{ address1: '1 Main St', city: 'New York', zip_code: '10001', country: 'US' },
  },
  CreateBatch: { phones: ['+13055550150'], tn_lease: '$lease', xml: DOCUMENT },
  CreateCall: { to: CALLEE, tn_lease: '$lease', xml: DOCUMENT },
  CreateOrder: { items: [{ tn: '$tn' }] },
  CreateSIPDomain: { domain: 'shop$RANDOM.example.test' },
  CreateSIPUser: { login: 'ann$RANDOM', password: 'correct horse battery' },
  CreateToken: { name: 'shop' },
  CreateUser: { email: 'ann.$RANDOM@example.test', password: 'correct horse battery' },
  CreateUserCartEntry: { payload: { tn: 13_055_550_120 } },
  GetOrderPrice: { items: [{ tn: '$tn' }] },
  ModifyAccount: { time_zone: 'America/New_York' },
  ModifySIPControlApp: { auto_answer: true },
  ModifyTNLease: { sip_control_app: '$app' },
  Search: { pattern: '305*' },
};
