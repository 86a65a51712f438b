/** What the rows can't say: how the verbs work together. Written by hand, in the words of whoever writes documents. */

/** The first part of LANGUAGE.md. */
export const MEANING = `# The call flow language

A document says what a caller hears and what happens to the call. It is XML with the root \`<Response>\`; its verbs run one
after the other, and after the last one the call is hung up. \`npm run flow -- lint FILE\` says what is wrong with a document,
\`npm run flow -- simulate FILE\` lets you hear it without a telephone, and \`simulate --explore\` walks all its ways.

This page is made from the rows that the parser reads (\`npm run flow -- docs\`); so is \`language.schema.json\`.

## What holds everywhere

- **Writing.** Names of elements and attributes, and words like \`true\` or \`GET\`, may be in any case. Times are milliseconds;
  only the \`timeout\` of a \`Dial\` below 1000 is seconds. A document has at most 64 KiB, 32 levels and 2,000 elements, exactly one
  root, and no DOCTYPE; the XML declaration may be left out.
- **What is refused.** An element that isn't in the language, and a value of a wrong kind or out of its range, refuse the whole
  document, with line and column; so does an attribute that is there twice, in whatever case. An attribute that isn't in the
  language is ignored; the call's story has a warning.
- **Two dialects.** The \`Gather\` of the older documents has \`numDigits, finishOnKey, callback\` and \`Switch/Case\` (A), that of the
  newer ones \`dtmf_length, dtmf_stop, url\` and \`DTMF\` (B). Both run; one Gather can't have attributes of both.
- **Paths.** Each verb has a path by which the story names it: its name and its number among its like-named siblings,
  \`Gather[0].Case[1].Say[0]\`. \`Switch\` leaves no trace in it. A document that replaces another counts as the next one. What
  a \`Callback\` fetched lies below it (\`Callback[0].Say[0]\`); what a \`Gather\` fetched, or an order gave to a call on \`Hold\`, lies below
  \`Gather[0].Response[0]\`, since those have verbs of their own.
- **Budgets.** A call that starts more than 150 verbs in a row that take no time, or writes more than 20,000 events or 16 MiB of
  them, ends: owner \`document\`, reason \`budget\`. So does one that writes too fast: more than 1,500 events (some 500 verbs)
  at once and 50 a second, or 4 MiB and 32 KiB a second. After 300 events at once a call waits for its next document.

## Answering

A call begins unanswered. \`Say\`, \`Play\` and \`Tone\` are heard all the same: they sound before the answer, uncharged. \`Answer\`, \`Gather\`,
\`Record\`, \`RecordStart\` and \`Hold\` answer the call if nobody did. \`Reject, Redirect, Callback, Curl, Hangup, Pause\` and the blocks
don't. A \`Dial\` doesn't either: the caller hears it ring, and the callee's answer answers the caller. With \`auto_answer\`
in the app the call is answered at once, before the first verb.

An answered call from whose side neither RTP nor RTCP comes for 60 s is hung up (\`silent\`), and so is a callee; the app may set another
limit (\`silence_ms\`). A side that holds the call is waited for, and so is a muted phone that goes on reporting by RTCP.

A call whose app has neither a document nor an address for one rings for 30 s and waits for an order by API.

## Keys

- A key that is pressed during the \`Say\`, \`Play\`, \`Tone\` or \`Pause\` directly before a \`Gather\` stops all of them and is the first key of that
  Gather. Anywhere else a key is an event that your webhook hears of, and nothing more.
- The first key stops the prompts inside a Gather. Its \`timeout\` begins when the last prompt ended or was stopped, and later keys
  don't begin it anew. Keys that are there when it is over are the code.
- An attempt is used up by silence only; the prompts are then heard again. The key that ends the input, pressed alone, is silence.
- That key is \`*\` in dialect A unless \`finishOnKey\` names others (\`finishOnKey=""\`: none), and none in dialect B unless \`dtmf_stop\`
  does. It is never part of a code.
- A code that no branch names runs \`Default\`, at once. Silence after the last attempt runs \`Error\`, and so does a server that can't be
  asked. Where there is only one of the two it serves both; where there is neither, the flow goes on behind the Gather.
- A \`Switch\` and the Gather around it may both have branches; those of the Switch win.
- With \`url\` (B) your server is asked for a code that no branch names; with \`callback\` (A) after each attempt. Its document runs
  in the Gather's place.

## Your server

- \`Callback\` asks for a document that runs in its place; then the flow goes on behind it. An empty 2xx answer is success with nothing
  to run. Any other answer is read as XML, whatever its type says; if it isn't XML, or doesn't come in time, the \`Error\` runs, and
  without one the flow goes on.
- \`Redirect\` asks for a document that replaces everything. If it can't be had the call is hung up.
- \`Curl\` asks without running what comes back: the scalars of a JSON answer become variables, under the tag of the Curl (\`crm.vip\`).
- Documents are read in the encoding that their byte order mark, else the \`charset\` of the answer, else their XML declaration names, and in
  UTF-8 where none does. What can't be read so is a failure (\`charset\`), as a server is that can't be asked.
- The address keeps its own query, byte for byte. Behind it a \`Callback\` and the \`url\` of a Gather send \`from\`, \`tn\` (the called number), \`state\`,
  \`sca\` (the app), \`call\`, the keys as \`dtmf\`, the variables of the call, and a Callback its \`tag\`. The \`callback\` of a Gather sends
  \`code, success, attempts\`; a \`Redirect\` \`from, to, call\`; both the variables behind. A \`Curl\` sends its own \`Meta\` and nothing else.
- A caller who hangs up meanwhile doesn't stop a request that is under way, but its answer isn't run.
- One call asks for 100 documents at most, and fetched documents stand in each other 8 deep at most.

## Variables

\`Meta\` sets a variable: below a command when that command starts, among verbs where it stands. \`true\`, \`false\`, \`null\` and numbers are
what they look like, anything else is text; a number that begins with 0 is text. Numbers keep their digits (\`2.50\`, \`9196877626998785\`), those of a
JSON answer too; \`2.50\` and \`2.5\` are the same where they are compared. A call has 100 variables of 1,024 characters
each and 16,384 in all at most; an address takes 4,096 of them, encoded. Those that bear a name which the platform itself sends (\`from, tn, call\` …) go to no address. \`Call\` looks at them as
\`meta.NAME\`; \`+\` before a number makes no difference to it.

## Failures

The \`Error\` in a verb runs when that verb failed, and then the flow goes on behind the verb. An \`Error\` directly in the Response
serves the first failure that has no nearer one; then the call is hung up. Where there is neither, the verb has failed and the
flow goes on.

## Sounds and recordings

- In \`Say\` the content wins over \`text\`. Where the voice isn't there, the nearest speaks, and the event names it. Prompts of a
  document are prepared when it is accepted, before the caller is answered. \`loop="0"\` is until the caller hangs up.
- An empty \`Record\` records the caller until \`#\`, 5 s of silence (also at its beginning), or its \`timeout\` (60 s). The \`#\` isn't in the file.
  With verbs in it it is a block: it records the caller while they run.
- \`RecordStart\` records both sides behind the flow (three at once at most) until \`RecordStop\` or the end of the call; \`RecordWait\` waits until the file can be played.
- \`Play record="…"\` plays what a \`Record\` or \`RecordStart\` with that tag recorded earlier in the call. With \`asr="true"\` the words come
  as an event.

## Calling others

\`Dial\` rings all its targets at once; the first who answers is connected, the others stop ringing. To ring them in turn, write
several Dials. When the callee hangs up the flow goes on (\`hangup_on_bye="true"\`: the call ends); when the caller does, all is over. Keys
pass to the other side. It has failed when nobody answered in its \`timeout\` (30 s), or everybody declined; a callee who declines for
all their devices (6xx) ends it for everyone. A \`Number\` that is one of yours goes to its app, any other through your trunk.
Ten targets at most, members of a \`Group\` included. A number may be written as people write it, \`+1 (212) 555-0100\`, or as a \`tel:\` address.

## Conditions

The \`from\` and \`to\` of a call, here and in everything that is sent, are the numbers alone, whatever separators and parameters (\`;cpc=\`, \`;npdi\`,
\`;isub=\`) came with them, or a user's name.

\`Call\`, \`Geo\` and \`Schedule\` run what is in them where their condition holds; then the flow goes on behind them. End the block with
\`Hangup\` where it should not. \`Geo\` asks where the caller's number is at home; a number whose home is unknown is nowhere. Both ends
of a \`Schedule\`'s \`time\` belong to it; a range that ends before it begins goes on past midnight and belongs to the day on which it began.

## Waiting

\`Hold\` plays music, or what is in it, until its \`timeout\` or until a document that is sent to the live call (\`RunDocument\`) begins with
\`Unhold\`: the rest of that document runs, then the flow goes on behind the Hold. Any other document sent to a live call
replaces everything that runs.
`;
