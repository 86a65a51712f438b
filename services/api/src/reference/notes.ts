/** What the table of COVERAGE.md can't see for itself: why something is left out or different, and where its effect is shown. */

/** Operations of the reference that are not built, by what their `METHOD path` begins with, and why. */
export const LEFT_OUT: Array<[RegExp, string]> = [
  [/^\w+ \/janus\//, 'web sessions through Janus are no part of this'],
  [/^\w+ \/payment/, 'payment gateways are no part of this; an Admin of the installation credits accounts'],
  [/^\w+ \/(sms|messages|profile\/messaging)/, 'comes with messages'],
  [/^\w+ \/lease\/tn\/\{number\}\/subscription\/sms/, 'comes with messages'],
  [/^\w+ \/event\/subscription/, 'comes with events'],
  [/^POST \/sip\/connection\/\{uuid\}\/invites/, 'an older form of POST /sip/domain/{domain}/invite'],
  [/^GET \/profile\/tn\/special_prices/, 'every account has the prices of the inventory'],
  [/^\w+ \/admin\/class4\//, 'there is no Class4 switch beside this one'],
];

/** Operations that are built otherwise than the reference says, by name. */
export const DIFFERENT: Record<string, string> = {
  CreateOrder: 'an order of which nothing can be had is 404 or 409 with a reason by item, and kept as `failed`',
  CreateTNOrder: 'an order of which nothing can be had is 404 or 409 with a reason by item, and kept as `failed`',
  GetTNLeaseByUUID: 'takes the number, too',
  ModifyTNLease: 'takes the number, too',
  RemoveByTokenString: 'takes the uuid of the key, too: a key in a path is a key in somebody’s log',
  RemoveTNLeaseByUUID: 'takes the number, too',
  SearchCallFlowLogs:
    'pages are exact by `until`; rows have a path and a document instead of a command; one order at a time, none by channel',
  SearchCalls: 'pages are exact by `until`',
  SearchSCACalls: 'pages are exact by `until`',
};

const REST = 'test/scenarios/rest.test.ts';
const SIP = 'test/scenarios/rest-sip.test.ts';
const CALLS = 'test/scenarios/rest-calls.test.ts';
const MONEY = 'test/scenarios/rest-money.test.ts';
const API = 'services/api/src/app.test.ts';
const PEOPLE = 'services/api/src/accounts/rest/people.test.ts';
const RESET = 'services/api/src/accounts/rest/password-reset.test.ts';
const SIP_API = 'services/api/src/sip/rest/sip.test.ts';
const ADMIN = 'services/api/src/accounts/rest/admin.test.ts';
const SIGN_UP = 'services/api/src/accounts/rest/sign-up.test.ts';
const NUMBERS = 'services/api/src/numbers/rest/numbers.test.ts';
const LOGS = 'services/api/src/logs/rest/logs.test.ts';

const VALUE_PATH = [REST, 'leads from a sign-up to a call that runs one’s own document'] as const;
const SEED = [
  REST,
  'runs the seed document for a stranger’s telephone, and shows its traces to its account alone',
] as const;
const LIVE = [REST, 'gives a live call another document, hangs it up, and shows it to nobody else'] as const;
const BLACK = [
  SIP,
  'refuses a blacklisted caller, and within two seconds of a change admits and refuses others',
] as const;
const WHITE = [SIP, 'with a whitelist admits only whom it names, and nobody who withholds the number'] as const;
const EQUIPMENT = [SIP, 'is sent on to the customer’s own equipment, which answers and hangs up'] as const;
const NO_EQUIPMENT = [
  SIP,
  'rings nobody while it is switched off, then the equipment that it was moved to, and none when it is removed',
] as const;
const BULK = [
  CALLS,
  'calls many numbers, each once, tells what became of each, and cancels what was not called yet',
] as const;
const LIMITS = [
  MONEY,
  'sends no INVITE past the channel limit of the profile, nor for an account without money',
] as const;
const HA1B = [
  SIP_API,
  'a SIP user is known by HA1B of either algorithm and by nothing else, and only where SIP users are',
] as const;
const INVITED = [
  SIP_API,
  'an invite makes one user, once, until it expires; of twenty who use it at once one is made',
] as const;
const SWITCHES = [SIP, 'sends calls of its switches alone on to its connection'] as const;
const KEY = [
  API,
  'an API key is shown once, serves like a password, and is over when it is removed or expired',
] as const;
const LET_IN = [PEOPLE, 'a deactivated user is let in by no credential until reactivated'] as const;
const SIP_MAILED = [RESET, 'a SIP user sets a new password in the same way, and the HA1B of the old one ends'] as const;
const MAILED = [RESET, 'a reset is mailed, serves once, and ends what was logged in'] as const;

/** File and test in which a call, a bill, a route or who is let in changed because of the operation, by its name here. */
export const EFFECTS: Record<string, readonly [file: string, test: string]> = {
  AddUserToAccount: [PEOPLE, 'an Admin adds users to the account; the others may not, and nobody signs up into one'],
  AssignTNLeasesToSIPConnection: EQUIPMENT,
  AssignTNLeasesToSIPControlApp: SEED,
  Auth: VALUE_PATH,
  BridgeCalls: [CALLS, 'connects two calls of an account, and none of another'],
  CancelBatch: BULK,
  ChangeBlacklist: BLACK,
  ChangeUserPasswordViaResetToken: MAILED,
  ChangeWhitelist: WHITE,
  CreateBatch: BULK,
  CreateCall: [CALLS, 'is made once for a key, seen while it lives, hung up, and in the log as a call that went out'],
  CreateOrder: VALUE_PATH,
  CreateOutboundVoiceProfile: LIMITS,
  CreateSIPConnection: EQUIPMENT,
  CreateSIPControlApp: VALUE_PATH,
  CreateTNProfile: BLACK,
  CreateToken: KEY,
  CreateUser: VALUE_PATH,
  DeactivateUserAccountByUUID: LET_IN,
  DeleteUserByUUID: [PEOPLE, 'a removed user is gone for good, and the e-mail is free'],
  HangUpCall: LIVE,
  ModifyAccount: [PEOPLE, 'an Admin sets the clock and the profile of the account, and reports go by that clock'],
  ModifySIPConnection: NO_EQUIPMENT,
  ModifySIPControlApp: [SIP, 'an app that is switched off refuses its calls with 480, and runs them again'],
  ModifyTNLease: VALUE_PATH,
  ReactivateUserAccountByUUID: LET_IN,
  RemoveByTokenString: KEY,
  RemoveRecording: [
    LOGS,
    'a recording that was deleted is gone with its file, for good; one that is being made is neither read nor deleted',
  ],
  RemoveSIPConnectionByID: NO_EQUIPMENT,
  RemoveTNLeaseByUUID: SEED,
  RequestUserPasswordResetEmail: MAILED,
  RequestSIPUserPasswordResetEmailApp: SIP_MAILED,
  ChangeSIPUserPasswordViaResetTokenApp: SIP_MAILED,
  ScheduleAction: [ADMIN, 'a job that is named runs, one process at a time; one that isn’t there is 404'],
  TnleaseCreate: [ADMIN, 'numbers are given without an order, all of them or none'],
  CreateTNOrder: [
    NUMBERS,
    'numbers are searched in both forms of the reference, and ordered by features or by a switch each',
  ],
  RemoveTNLeases: [
    NUMBERS,
    'leases are found by any or all of what is asked, in the order that is asked, and given back together',
  ],
  UploadDictLERG: [ADMIN, 'numbering data is uploaded whole or not at all; lines that are no exchange are told'],
  RunCallDocument: LIVE,
  SaveSIPControlAppStaticCallFlow: VALUE_PATH,
  CreateSIPDomain: [SIP, 'reaches its app, whoever is called and whoever calls'],
  ModifySIPDomainByDomainName: SWITCHES,
  CreateSIPSwitch: SWITCHES,
  CreateSIPUser: HA1B,
  ModifySIPUser: HA1B,
  ModifySIPUserApp: HA1B,
  CreateSIPUserInvite: INVITED,
  RegisterSIPUserByInviteApp: INVITED,
  ModifyOutboundVoiceProfile: LIMITS,
  CreditAccount: [ADMIN, 'a credit is given once under one key, and is money to spend'],
  RemoveAll: KEY,
  RemoveSIPControlAppStaticCallFlow: LIVE,
  ExecuteSIPControlAppCallExecuteCallFlow: LIVE,
  VerifyUserEmail: [SIGN_UP, 'nobody is let in before the address was shown to be theirs, by token and password'],
  UpdateUserByUUID: [PEOPLE, 'a new password ends the log-ins of before; a role that was taken away is gone at once'],
};
