/**
 * What becomes of each field of each request body, but for searches: it only describes, for people; or it has an effect, and here is the
 * test that shows it. A field that is kept and changes nothing yet says so in its schema (`storedOnly`), as one does that is
 * taken and not kept (`WithoutEffect`). A field that is none of these fails coverage.test.ts.
 */

/** By the path of a resource below `/rest`, `{}` for its parameters: fields that name or describe, and what only whoever sent it reads. */
export const DESCRIBES: Record<string, string[]> = {
  '/account': ['name', 'phone', 'address1', 'address2', 'zip_code', 'city'],
  '/account/office_hours': ['name'],
  '/account/user': ['phone_number', 'first_name', 'last_name', 'gender', 'dob', 'avatar'],
  '/address': ['name', 'address1', 'address2', 'zip_code', 'city', 'country'],
  '/admin/account/{}/credit': ['description'],
  '/app': ['first_name', 'last_name', 'phone_number', 'avatar', 'dob', 'gender'],
  '/app/avatar': ['file'],
  '/app/group': ['name'],
  '/app/invite': ['first_name', 'last_name', 'phone_number', 'avatar', 'dob', 'gender'],
  '/profile/outbound_voice': ['name'],
  '/profile/tn': ['name', 'description'],
  '/sip/app': ['name'],
  '/sip/connection': ['name'],
  '/sip/domain/{}/invite': ['name'],
  '/sip/domain/{}/switch': ['name', 'description'],
  '/sip/domain/{}/user': ['first_name', 'last_name', 'phone_number', 'avatar', 'dob', 'gender'],
  '/token': ['name'],
  '/user': ['phone_number', 'first_name', 'last_name', 'gender', 'dob', 'avatar', 'account.name', 'account.email'],
  '/user/cart': ['payload'],
  '/user/{}/avatar': ['file'],
};

type Shown = readonly [fields: string, file: string, test: string];

const API = 'services/api/src';
const ADMIN = `${API}/accounts/rest/admin.test.ts`;
const APP = `${API}/app.test.ts`;
const DIRECTORY = `${API}/api.test.ts`;
const MONTHS = `${API}/numbers/lease-months.test.ts`;
const NUMBERS = `${API}/numbers/rest/numbers.test.ts`;
const PEOPLE = `${API}/accounts/rest/people.test.ts`;
const RESET = `${API}/accounts/rest/password-reset.test.ts`;
const SIGN_UP = `${API}/accounts/rest/sign-up.test.ts`;
const SIP_API = `${API}/sip/rest/sip.test.ts`;
const CALLS = 'test/scenarios/rest-calls.test.ts';
const MONEY = 'test/scenarios/rest-money.test.ts';
const PUBLIC = 'test/scenarios/public-call.test.ts';
const RECORDED = 'test/scenarios/record-calls.test.ts';
const REST = 'test/scenarios/rest.test.ts';
const SIP = 'test/scenarios/rest-sip.test.ts';

const ONE_DOCUMENT = 'leads from a sign-up to a call that runs one’s own document';
const ADDED = 'an Admin adds users to the account; the others may not, and nobody signs up into one';
const ASKED =
  'an app asks the address that REST gave it for a stranger’s telephone, whose call lasts as long as REST allows';
const MEDIA = 'what an app sets of its legs’ media is told with it, and nothing where it sets none';
const BULK = 'calls many numbers, each once, tells what became of each, and cancels what was not called yet';
const LEFT = 'a domain leads to its app for everybody, and only its switches go on to its connection or out';
const EQUIPMENT = 'is sent on to the customer’s own equipment, which answers and hangs up';
const MOVED =
  'rings nobody while it is switched off, then the equipment that it was moved to, and none when it is removed';
const BY_FEATURES = 'numbers are searched in both forms of the reference, and ordered by features or by a switch each';
const LIMITED = 'sends no INVITE past the channel limit of the profile, nor for an account without money';
const GIVEN = 'numbers are given without an order, all of them or none';
const INVITED = 'an invite makes one user, once, until it expires; of twenty who use it at once one is made';
const HA1B = 'a SIP user is known by HA1B of either algorithm and by nothing else, and only where SIP users are';
const SIP_RESET = 'a SIP user sets a new password in the same way, and the HA1B of the old one ends';
const BACK = 'leases are found by any or all of what is asked, in the order that is asked, and given back together';
const ITEM = 'items.features items.voice items.fax items.sms items.mms items.emergency';
const ONCE = 'is made once for a key, seen while it lives, hung up, and in the log as a call that went out';
const RUN = 'gives a live call another document, hangs it up, and shows it to nobody else';
const PACED = 'no more are ordered in a minute than nine tenths of what the account may dial, whatever batches it has';
const BLACK = 'refuses a blacklisted caller, and within two seconds of a change admits and refuses others';
const WHITE = 'with a whitelist admits only whom it names, and nobody who withholds the number';
const LISTED = 'a caller is on one list at most, however many ask at once';
const HOSTS = 'of customers’ hosts so many are resolved, to so many addresses, and only to such as may be called';
const ONE_ADDRESS = 'a connection has one address; a number goes to it or to an app, and nowhere when it is removed';
const SLOW = 'each way a server can fail has its own reason';
const ALIKE = 'is one and the same while it lives';

/** By resource: fields with an effect, apart by spaces, and the test that shows it. */
export const SHOWN: Record<string, Shown[]> = {
  '/account': [
    ['time_zone', PEOPLE, 'an Admin sets the clock and the profile of the account, and reports go by that clock'],
  ],
  '/account/user': [['email password role', PEOPLE, ADDED]],
  '/admin/account/{}/credit': [['amount', ADMIN, 'a credit is given once under one key, and is money to spend']],
  '/admin/tnlease/create': [['tns account autorenew', ADMIN, GIVEN]],
  '/app': [
    ['password', SIP_API, HA1B],
    ['email', RESET, SIP_RESET],
  ],
  '/app/invite': [
    ['login password', SIP_API, INVITED],
    ['email', RESET, SIP_RESET],
  ],
  '/app/password_reset': [['token password', RESET, SIP_RESET]],
  '/batch': [
    ['phones tn_lease xml', CALLS, BULK],
    [
      'outbound_voice_profile sip_control_app call_flow_url call_flow_method',
      `${API}/calls/run-batches.test.ts`,
      'what a batch names reaches the engine with each of its numbers',
    ],
    ['pace', `${API}/calls/run-batches.test.ts`, PACED],
  ],
  '/call': [
    ['to tn_lease xml', CALLS, ONCE],
    [
      'outbound_voice_profile sip_control_app call_flow_url call_flow_method ring_timeout',
      `${API}/calls/place-call.test.ts`,
      'POST /call: what it names reaches the engine',
    ],
  ],
  '/call/bridge': [['call_a call_b', CALLS, 'connects two calls of an account, and none of another']],
  '/call/sca': [['file', REST, RUN]],
  '/dict/lerg': [
    ['file', ADMIN, 'numbering data is uploaded whole or not at all; lines that are no exchange are told'],
  ],
  '/lease/tn': [
    ['sip_control_app', REST, ONE_DOCUMENT],
    [
      'sip_connection',
      DIRECTORY,
      'a number on a connection leads to the customer’s own equipment; what is switched off says so',
    ],
    ['tn_profile', SIP, BLACK],
    ['autorenew', MONTHS, 'without renewal a number is given back when its month is over, and somebody else has it'],
    ['item', NUMBERS, BACK],
  ],
  '/order': [
    ['items.tn', REST, ONE_DOCUMENT],
    [
      'items.autorenew',
      MONTHS,
      'without renewal a number is given back when its month is over, and somebody else has it',
    ],
    [ITEM, NUMBERS, BY_FEATURES],
  ],
  '/order/tn': [
    ['items.tn', NUMBERS, BY_FEATURES],
    [
      'items.autorenew',
      MONTHS,
      'without renewal a number is given back when its month is over, and somebody else has it',
    ],
    [ITEM, NUMBERS, BY_FEATURES],
  ],
  '/profile/outbound_voice': [
    ['is_active channel_limit max_rate daily_spend_limit', MONEY, LIMITED],
    ['record_calls', RECORDED, '0: nothing is recorded'],
    [
      'filemat audio_track_type',
      NUMBERS,
      'a profile takes no recordings that can’t be made: MP3, or a track for each side',
    ],
    ['tn_lease', DIRECTORY, LEFT],
    [
      'daily_spent_limit',
      NUMBERS,
      'an outbound voice profile has a number of the account as its caller id, and is kept while an app names it',
    ],
  ],
  '/profile/tn/{}/blacklist': [
    ['add', SIP, BLACK],
    ['remove', NUMBERS, LISTED],
  ],
  '/profile/tn/{}/whitelist': [
    ['add', SIP, WHITE],
    ['remove', NUMBERS, LISTED],
  ],
  '/sip/app': [
    ['is_active', SIP, 'an app that is switched off refuses its calls with 480, and runs them again'],
    ['auto_answer', SIP, ASKED],
    ['call_flow_url max_call_length_min', SIP, ASKED],
    ['call_flow_method', PUBLIC, ALIKE],
    ['call_flow_request_timeout', 'services/notifier/src/notifier.test.ts', SLOW],
    ['silence_ms rtp_from_anywhere', DIRECTORY, MEDIA],
    ['outbound_voice_profile', MONEY, LIMITED],
  ],
  '/sip/app/call': [['file', REST, RUN]],
  '/sip/app/call/flow': [['file', REST, ONE_DOCUMENT]],
  '/sip/app/{}/tnlease': [['add remove', SIP_API, ONE_ADDRESS]],
  '/sip/connection': [
    ['ip port', SIP, EQUIPMENT],
    ['is_active', SIP, MOVED],
    ['hostname', `${API}/directory/reach.test.ts`, HOSTS],
  ],
  '/sip/connection/{}/tnlease': [
    ['add', SIP, EQUIPMENT],
    ['remove', SIP_API, ONE_ADDRESS],
  ],
  '/sip/domain': [
    ['domain sip_control_app', SIP, 'reaches its app, whoever is called and whoever calls'],
    ['sip_connection', SIP, 'sends calls of its switches alone on to its connection'],
    ['outbound_voice_profile', DIRECTORY, LEFT],
  ],
  '/sip/domain/{}/invite': [['expired_on', SIP_API, INVITED]],
  '/sip/domain/{}/switch': [
    ['remote_ip', SIP, 'sends calls of its switches alone on to its connection'],
    ['is_active', DIRECTORY, LEFT],
  ],
  '/sip/domain/{}/user': [
    ['login password is_active', SIP_API, HA1B],
    ['email', RESET, SIP_RESET],
  ],
  '/token': [
    ['ttl', APP, 'an API key is shown once, serves like a password, and is over when it is removed or expired'],
  ],
  '/user': [
    ['email', REST, ONE_DOCUMENT],
    ['password', PEOPLE, 'a new password ends the log-ins of before; a role that was taken away is gone at once'],
  ],
  '/user/cart': [['ttl', PEOPLE, 'a cart is one user’s, keeps what it was given, and forgets what is over']],
  '/user/password_reset': [['token password', RESET, 'a reset is mailed, serves once, and ends what was logged in']],
  '/user/verification': [
    [
      'email token password',
      SIGN_UP,
      'nobody is let in before the address was shown to be theirs, by token and password',
    ],
  ],
};
