/** The remedies for documents of another dialect: each names itself, is lint clean once followed, and sounds as it should. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scenario } from '../simulate/scenario.ts';
import { simulate } from '../simulate/simulate.ts';
import { lint } from './lint.ts';

const response = (verbs: string) => `<Response>${verbs}</Response>`;
const SERVER = 'https://example.com';
/** What the customer's server answers to what it is asked. */
const NEXT = response('<Say>next</Say>');

type Heard = string[];
type Followed = {
  name: string;
  /** As the other dialect has it. */
  foreign: string;
  remedy: RegExp;
  /** What the remedy makes of it. */
  followed: string;
  /** Each: what the world does, and what the caller then hears in this order. */
  heard: Array<[Partial<Scenario>, Heard]>;
};

const server: Scenario['server'] = ({ url }) => {
  const silent = new URL(url).searchParams.get('success') === 'false';
  return { status: 200, body: silent ? '' : NEXT };
};
const asked = (path: string) => `${SERVER}/${path}`;
const say = (...texts: string[]) => texts.map((text) => `"${text}"`);

const CASES: Followed[] = [
  {
    name: 'Gather action',
    foreign: '<Gather action="/next" timeout="5000"><Say>code?</Say></Gather><Say>you entered nothing</Say>',
    remedy: /callback="https:\/\/…" finishOnKey="#" numDigits="32".*move what follows.*<Error>/,
    followed: `<Gather callback="${asked('next')}" finishOnKey="#" numDigits="32" timeout="5000"><Say>code?</Say><Error><Say>you entered nothing</Say></Error></Gather>`,
    heard: [
      [{ press: ['1', '2', '3', '4', '#'] }, say('code?', 'next')],
      [{ press: ['1', '*', '3', '#'] }, say('code?', 'next')],
      [{}, say('code?', 'you entered nothing')],
    ],
  },
  {
    name: 'Gather action and numDigits',
    foreign: '<Gather action="/next" numDigits="2"><Say>code?</Say></Gather><Say>you entered nothing</Say>',
    remedy: /callback="https:\/\/…" finishOnKey="#", and move/,
    followed: `<Gather callback="${asked('next')}" finishOnKey="#" numDigits="2"><Say>code?</Say><Error><Say>you entered nothing</Say></Error></Gather>`,
    heard: [
      [{ press: ['1', '2'] }, say('code?', 'next')],
      [{ press: ['1', '#'] }, say('code?', 'next')],
      [{}, say('code?', 'you entered nothing')],
    ],
  },
  {
    name: 'Dial action',
    foreign: '<Dial action="/done"><Number>12125550100</Number></Dial><Say>unreachable</Say>',
    remedy: /<Redirect>https:\/\/…<\/Redirect> directly behind the <Dial>, and take away what follows/,
    followed: `<Dial><Number>12125550100</Number></Dial><Redirect>${asked('done')}</Redirect>`,
    heard: [
      [{ callee: 'answers', calleeStaysMs: 5_000 }, ['the callee', '"next"']],
      [{ callee: 'busy' }, say('next')],
    ],
  },
  {
    name: 'Dial action, and something for a failure alone',
    foreign: '<Dial action="/done"><Number>12125550100</Number></Dial>',
    remedy: /a failure alone goes into the <Error> of the <Dial>/,
    followed: `<Dial><Number>12125550100</Number><Error><Say>busy</Say></Error></Dial><Redirect>${asked('done')}</Redirect>`,
    heard: [
      [{ callee: 'answers', calleeStaysMs: 5_000 }, ['the callee', '"next"']],
      [{ callee: 'busy' }, say('busy', 'next')],
    ],
  },
  {
    name: 'Record action',
    foreign: '<Say>speak</Say><Record action="/done"/><Say>nothing was recorded</Say>',
    remedy: /<Redirect>https:\/\/…<\/Redirect> directly behind the <Record>, and take away what follows/,
    followed: `<Say>speak</Say><Record/><Redirect>${asked('done')}</Redirect>`,
    heard: [[{}, say('speak', 'next')]],
  },
  {
    name: 'Record maxLength',
    foreign: '<Record maxLength="30"/>',
    remedy: /write timeout="30000": it is the longest time.*5 s of silence/,
    followed: '<Record timeout="30000"/>',
    heard: [[{}, []]],
  },
  {
    name: 'Record maxLength beside timeout',
    foreign: '<Record maxLength="30" timeout="10"/>',
    remedy: /write timeout="30000" in the place of its timeout/,
    followed: '<Record timeout="30000"/>',
    heard: [[{}, []]],
  },
  {
    name: 'Record timeout alone',
    foreign: '<Record timeout="10"/>',
    remedy: /leave it out where it is the silence.*timeout="10000" where it is the longest time/,
    followed: '<Record/>',
    heard: [[{}, []]],
  },
  {
    name: 'Connect of a Stream',
    foreign: '<Connect><Stream url="wss://example.com/audio"/></Connect>',
    remedy: /streams are not offered.*<Dial><Sip>user@host<\/Sip><\/Dial>/,
    followed: '<Dial><Sip>bot@192.0.2.10</Sip></Dial>',
    heard: [[{ callee: 'answers', calleeStaysMs: 5_000 }, ['the callee']]],
  },
  {
    name: 'Start of a Recording',
    foreign: '<Start><Recording/></Start><Say>hello</Say>',
    remedy: /write <RecordStart\/>/,
    followed: '<RecordStart/><Say>hello</Say>',
    heard: [[{}, say('hello')]],
  },
  {
    name: 'a break in speech',
    foreign: '<Say>one <break time="1s"/> two</Say>',
    remedy: /end the <Say>, put a <Pause length="500"\/> behind it and begin another <Say>/,
    followed: '<Say>one</Say><Pause length="500"/><Say>two</Say>',
    heard: [[{}, say('one', 'two')]],
  },
  ...(['prosody', 'emphasis', 'say-as', 'phoneme', 'sub', 'p', 's', 'w', 'amazon:effect'] as const).map(
    (mark): Followed => ({
      name: `${mark} in speech`,
      foreign: `<Say><${mark}>one</${mark}></Say>`,
      remedy: /write the words into the <Say> itself/,
      followed: '<Say>one</Say>',
      heard: [[{}, say('one')]],
    }),
  ),
  {
    name: 'another language in speech',
    foreign: '<Say>one <lang xml:lang="fr-FR">deux</lang></Say>',
    remedy: /begin another <Say lang="…">/,
    followed: '<Say>one</Say><Say lang="fr-FR">deux</Say>',
    heard: [[{}, say('one', 'deux')]],
  },
  ...(['<Redirect>/next</Redirect>', '<Redirect>next.xml</Redirect>', '<Redirect url="../next"/>'] as const).map(
    (foreign): Followed => ({
      name: `${foreign}, relative`,
      foreign,
      remedy: /write it whole, like https:\/\/example.com\/flow/,
      followed: `<Redirect>${asked('flow')}</Redirect>`,
      heard: [[{}, say('next')]],
    }),
  ),
  {
    name: 'a relative sound',
    foreign: '<Play>/hello.mp3</Play>',
    remedy: /write it whole/,
    followed: '<Play>https://example.com/hello.mp3</Play>',
    heard: [[{}, ['url https://example.com/hello.mp3']]],
  },
  ...(
    [
      ['bob@192.0.2.10;transport=tls', /write sip:bob@192\.0\.2\.10: .*transport=udp, transport=tcp/],
      ['sip:bob@192.0.2.10?x-order=7', /write sip:bob@192\.0\.2\.10: headers.*<Curl>/],
      ['sip:bob@192.0.2.10;transport=tcp?x-a=1&amp;x-b=2', /write sip:bob@192\.0\.2\.10(;transport=tcp)?: headers/],
      ['sips:bob@192.0.2.10', /write sip:user@host/],
    ] as const
  ).map(
    ([address, remedy]): Followed => ({
      name: `<Sip>${address}`,
      foreign: `<Dial><Sip>${address}</Sip></Dial>`,
      remedy,
      followed: '<Dial><Sip>sip:bob@192.0.2.10</Sip></Dial>',
      heard: [[{ callee: 'answers', calleeStaysMs: 5_000 }, ['the callee']]],
    }),
  ),
];

/** What is heard, without the ringing tone; the same at once is one thing. */
const heardIn = (xml: string, world: Partial<Scenario>) =>
  simulate({ xml, server, ...world })
    .heard.map(({ what }) => what)
    .filter((what) => what !== 'tone ringback');

for (const { name, foreign, remedy, followed, heard } of CASES) {
  test(`${name}: the remedy is told`, () => {
    const remedies = lint(response(foreign)).findings.map((finding) => finding.remedy);
    assert.ok(
      remedies.some((told) => remedy.test(told)),
      remedies.join('\n') || 'nothing is found',
    );
  });
  test(`${name}: what follows the remedy is clean and sounds right`, () => {
    assert.deepEqual(lint(response(followed)).findings, []);
    for (const [world, expected] of heard) assert.deepEqual(heardIn(response(followed), world), expected);
  });
}

test('what one would write by the letter of the old document is heard wrongly: the reason for the remedy', () => {
  const xml = response(`<Gather callback="${asked('next')}"><Say>code?</Say></Gather><Say>you entered nothing</Say>`);
  assert.deepEqual(heardIn(xml, { press: ['1', '2'] }), say('code?', 'next', 'you entered nothing'));
});
