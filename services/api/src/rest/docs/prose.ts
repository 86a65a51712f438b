/**
 * The prose of the documentation, in Markdown: what is the same everywhere, and of each part what its operations are for.
 * Every block marked `sh` works when pasted, from the top to the bottom; `docs.test.ts` runs them all.
 */

export const INTRODUCTION = `
Opentact answers and makes telephone calls. Your software says what a call does by an XML document; this API provisions
numbers and apps, makes calls, and tells what became of them.

# Begin

Paste this in a clone whose platform runs (\`npm start\`). It gives the shell the address and the demo account's key:

\`\`\`sh
eval "$(npm run -s env)"      # OPENTACT_URL, OPENTACT_API_KEY, OPENTACT_EMAIL, OPENTACT_PASSWORD …
curl -s "$OPENTACT_URL/rest/account" -H "x-auth-token: $OPENTACT_API_KEY"
\`\`\`

Every example below goes on from there, and works as it stands.

# What is the same everywhere

- **Answers** are \`{"success": true, "payload": …}\`, refusals \`{"success": false, "status", "message", "fields"}\`; \`fields\` names
  each wrong parameter by its path (\`body.items.0.tn\`). What another account has is 404, as if it were not there.
- **Numbers** are taken as E.164, as a number or as text, with the plus or without: \`13055550120\`, \`"+13055550120"\`. In a path too:
  \`/rest/lease/tn/+13055550120\`. Answers give them without.
- **Moments** are ISO 8601 in UTC; durations are milliseconds where their names don't say otherwise.
- **Pages**: \`take\` (1 to 100) and \`skip\`. A log's page says \`until\`: sent back with the next, no call is missed or comes twice.
- **\`Idempotency-Key\`** on what makes something: the same key with the same body is the same call or order, however often it is
  sent; with another body it is 409.
- **Too often** is 429 with \`Retry-After\`. A method that a path hasn't is 405 with those it has.

# How your server knows that it is us

Every request that the platform makes to your server (a call-flow document, a \`Callback\`, a webhook) is signed.
\`X-Opentact-Signature: v2=<hex>\` is HMAC-SHA256 over five values, joined by line feeds:

1. \`X-Opentact-Timestamp\`, seconds since 1970; refuse what is older than five minutes
2. the method
3. the address: your origin, then path and query exactly as in the request line
4. \`Idempotency-Key\`: the same whenever the same request is made again
5. the body; nothing for a GET and an empty DELETE

The key is your origin's own: HMAC-SHA256 with the app's secret over the origin, \`https://shop.example\` (lower case; the port only
where it isn't the scheme's). So a server needs only the key of its origin, and no server can sign for another.
The demo app's secret is \`signingKey\` in \`.opentact/demo.json\`.

\`\`\`sh
origin=https://shop.example secret=00ff timestamp=1767225600 idempotency_key=k1 body='{"call":1}'
key=$(printf %s "$origin" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
printf '%s\\n%s\\n%s\\n%s\\n%s' "$timestamp" POST "$origin/flow?from=1" "$idempotency_key" "$body" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -r
\`\`\`

\`\`\`js
const key = createHmac('sha256', secret).update(origin).digest();
const text = [h['x-opentact-timestamp'], request.method, origin + request.url, h['idempotency-key'], body].join('\\n');
const want = Buffer.from(\`v2=\${createHmac('sha256', key).update(text).digest('hex')}\`);
const given = Buffer.from(h['x-opentact-signature'] ?? '');
const isGenuine = given.length === want.length && timingSafeEqual(given, want);
\`\`\`
`.trim();

const AUTH = '-H "x-auth-token: $OPENTACT_API_KEY"';
const JSON_TYPE = "-H 'content-type: application/json'";
const sh = (...lines: string[]) => `\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\``;
const curl = (path: string, more = '') => `curl -s "$OPENTACT_URL/rest${path}" ${AUTH}${more && ` ${more}`}`;
const first = (name: string, command: string) =>
  `${name}=$(${command} | grep -o '"uuid":"[^"]*' | head -1 | cut -d'"' -f4)`;

/** The parts of the API, in the order of the document. */
export const TAGS = {
  Authentication: `Who asks says so by \`X-Auth-Token\` (an API key, or a JWT that lives a day), \`Authorization: Bearer\`, or \`Basic\` with
e-mail and password. Whoever signs up is the Admin of an account of their own. A forgotten password is mailed.${sh(
    'curl -s "$OPENTACT_URL/rest/auth" -u "$OPENTACT_EMAIL:$OPENTACT_PASSWORD"      # a JWT',
  )}`,
  'API keys': `Long-lived credentials of a user, for software. A key is shown once, when it is made; we keep only its hash.${sh(
    curl('/token', `${JSON_TYPE} -d '{"name":"shop"}'`),
    curl('/token/list'),
  )}`,
  Users: `The users of the account and oneself. An **Admin** may everything; **User** and **Provider** may everything but add, change or
remove other users. An account keeps one Admin. A deactivated user's credentials all end at once.`,
  Account: `The account itself: its name, its clock (by which \`Schedule\` and reports go), office hours.${sh(
    curl('/account', `-X PATCH ${JSON_TYPE} -d '{"time_zone":"America/New_York"}'`),
  )}`,
  Addresses: 'Postal addresses of an account or a user. Stored only: nothing else goes by them yet.',
  'SIP apps': `An app decides over calls. It has a document of its own, or the address that is asked for one at each call
(\`call_flow_url\`; where that fails, its own document serves). Numbers point to it.${sh(
    first('app', curl('/sip/app', `${JSON_TYPE} -d '{"name":"Menu","auto_answer":true}'`)),
    `${curl(`/sip/app/call/flow/$app`, "-F 'file=@-;filename=flow.xml'")} <<'XML'`,
    '<Response><Gather numDigits="1"><Say>Press a key.</Say></Gather><Hangup/></Response>',
    'XML',
  )}

A document that can't run is refused with line and column.`,
  'SIP connections': `Trunks to your own equipment: an address that calls are taken from and sent to, with the numbers that are on it.
A number is on an app or on a connection.`,
  'SIP domains':
    'Domains with their SIP users, the switches that may send calls for them, and invites by which a user signs up.',
  'End users':
    'What a SIP user may do by its own credential, HA1B: hex of MD5 or SHA-256 of `login@domain:domain:password`, in `X-Auth-HA1B-Token`.',
  Profiles: `A TN profile screens callers: whoever is on its blacklist, or not on a whitelist that has anybody, is refused with 403. An outbound
voice profile says how calls go out: the number that is shown, limits of rate, channels and spending.${sh(
    first('profile', curl('/profile/tn', `${JSON_TYPE} -d '{"name":"No premium numbers"}'`)),
    curl('/profile/tn/$profile/blacklist', `${JSON_TYPE} -d '{"add":["+1900*"]}'`),
  )}`,
  Numbers: `Numbers that can be had are searched by mask (\`*\` any run, \`%\` one digit), priced, and ordered. An order charges and leases in one
step, item by item, and says of each item that failed why.${sh(
    `tn=$(${curl('/tn/search', `${JSON_TYPE} -d '{"pattern":"305*"}'`)} | grep -o '"tn":[0-9]*' | head -1 | cut -d: -f2)`,
    curl('/order', `${JSON_TYPE} -d '{"items":[{"tn":"+'$tn'"}]}'`),
  )}`,
  Leases: `The numbers of the account: where their calls go, who may call, whether they are renewed each month. In a path a lease is named by
its uuid or by its number. A number that is given back takes no call from the next second on.${sh(
    curl('/lease/tn/+$tn', `-X PATCH ${JSON_TYPE} -d '{"sip_control_app":"'$app'"}'`),
  )}`,
  Calls: `Calls that live. \`POST /call\` rings somebody and runs a document once it is answered; what it may cost is reserved first, and 402 or
429 say which limit refused it. A live call can be given another document, connected with another, hung up.${sh(
    first('lease', curl('/lease/tn/+$tn')),
    `call=$(${curl('/call', `${JSON_TYPE} -d '{"to":"sip:1000@127.0.0.1:'$OPENTACT_DEMO_PORT'","tn_lease":"'$lease'","xml":"<Response><Say>Hello.</Say><Pause length=\\"5000\\"/></Response>"}'`)} | grep -o '"uuid":"[^"]*' | head -1 | cut -d'"' -f4)`,
    curl('/call/sca/$call'),
    curl('/call/sca/$call', '-X DELETE'),
  )}`,
  Logs: `What was: every call of the account, and every verb that a call ran with its outcome.${sh(
    curl('/call/search', '-X POST'),
    curl('/sip/app/$app/logs', '-X POST'),
  )}`,
  Recordings: `What \`Record\` made: 8 kHz, 16-bit WAV files. \`/recording/{uuid}/file\` knows ranges and \`ETag\`. They go after the
installation's time of keeping (30 days).${sh(curl('/recording'))}`,
  Money: `What was charged and credited, one by one and summed. A balance changes by transactions alone. There is no payment provider: an
Admin of the installation credits.${sh(curl('/transaction/search', '-X POST'))}`,
  Dictionaries: `What can be chosen from: countries, time zones, voices, states and rate centres. Anybody may ask.${sh(
    'curl -s "$OPENTACT_URL/rest/dict/gtts"',
  )}`,
  Administration:
    'For Admins of the account that runs this installation: credit, numbers without an order, jobs, numbering data.',
} as const;
