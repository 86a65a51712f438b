/**
 * What another well-known dialect of such documents writes differently, and how it is written here. Whoever does what a
 * remedy says gets a document without findings that a caller hears as the old one was heard (foreign.test.ts simulates it).
 */
import type { Element } from '../domain/language/element.ts';
import { addressTarget } from '../domain/verbs/target.ts';
import { written } from './tree.ts';

/** A remedy, or how to find it for one element. */
type Advice = string | ((element: Element) => string);

const STREAM =
  'media streams are not offered; let what takes the stream answer at a SIP address, and write <Dial><Sip>user@host</Sip></Dial>';
const SPEECH = 'speech has no marks here: write the words into the <Say> itself';

/** Elements that this language has not; the remedy. */
const ELEMENTS: Record<string, Advice> = {
  client: 'write <Sip>user@domain</Sip> or <To>user@domain</To>',
  conference: 'there are no conferences; a <Dial> with several targets rings them all at once',
  queue: 'there are no queues; <Hold> lets the caller wait until an order by API begins with <Unhold>',
  enqueue: 'there are no queues; write <Hold>, and end it by an order that begins with <Unhold>',
  leave: 'send the live call an order that begins with <Unhold>',
  sms: 'a call flow sends no messages; tell your own server with <Callback> or <Curl>',
  message: 'a call flow sends no messages; tell your own server with <Callback> or <Curl>',
  refer: 'there is no transfer by REFER; <Dial> connects the caller from here',
  connect: streamOf,
  start: streamOf,
  stop: 'write <RecordStop/> where a recording is meant; leave it out where a stream is',
  stream: STREAM,
  virtualagent: STREAM,
  conversationrelay: STREAM,
  conversation: STREAM,
  autopilot: STREAM,
  recording: 'write <RecordStart/>',
  transcription: 'write <RecordStart asr="true"/>; the words come as an event',
  siprec: 'write <RecordStart/>',
  pay: 'payments are not offered; collect keys with <Gather>',
  prompt: 'write <Say> or <Play>',
  room: 'rooms are not offered; <Dial> connects two parties',
  speak: 'leave it out inside a <Say>; write <Say> elsewhere',
  getdigits: 'write <Gather>',
  getinput: 'write <Gather>',
  playaudio: 'write <Play>',
  speaksentence: 'write <Say>',
  break: 'speech has no marks here: end the <Say>, put a <Pause length="500"/> behind it and begin another <Say>',
  prosody: `${SPEECH}; a voice is chosen with code, gender or lang`,
  voice: `${SPEECH}; a voice is chosen with code, gender or lang`,
  lang: 'speech has no marks here: end the <Say> and begin another <Say lang="…">',
  audio: 'speech has no marks here: end the <Say>, write <Play>address</Play> and begin another <Say>',
  emphasis: SPEECH,
  phoneme: `${SPEECH}, as they sound`,
  sub: `${SPEECH}, as they sound`,
  'say-as': `${SPEECH}, digits with blanks between them`,
  p: SPEECH,
  s: SPEECH,
  w: SPEECH,
  mark: 'speech has no marks here: leave it out',
};

/** Of other voices' makers: `amazon:effect`, `mstts:express-as`. */
const PREFIXED = /^(amazon|google|mstts):/;

/** Attributes by element; the remedy. `*` stands for every element. */
const ATTRIBUTES: Record<string, Record<string, Advice>> = {
  '*': {
    action: replacedBy,
    statuscallback: 'events go to the webhook of the app',
    statuscallbackevent: 'events go to the webhook of the app',
    statuscallbackmethod: 'events go to the webhook of the app',
  },
  Gather: {
    action: gatherAction,
    input: 'keys only; leave it out',
    speechtimeout: 'keys only; leave it out',
    speechmodel: 'keys only; leave it out',
    hints: 'keys only; leave it out',
    language: 'keys only; leave it out',
    partialresultcallback: 'keys only; leave it out',
    actiononemptyresult:
      'leave it out: callback is asked after silence too (success=false), and an empty answer runs the <Error>',
    bargein: 'the first key always stops the prompt; leave it out',
  },
  Say: {
    voice: 'write gender="FEMALE" or gender="MALE", or code="…" of a voice',
    language: 'write lang="en-US"',
  },
  Play: { digits: 'keys can’t be sent to the other side' },
  Record: {
    action: (element) => `${replacedBy(element)}; the file comes as an event of the app’s webhook`,
    method: 'write it at the <Redirect> that takes the place of action',
    maxlength: longestOf,
    finishonkey: '# ends an empty Record; a block Record ends with the verbs in it',
    playbeep: 'put a <Tone hz="1000" don="200" doff="0"/> before it',
    trim: 'leave it out: leading silence counts',
    transcribe: 'write asr="true"',
    transcribecallback: 'write asr="true"; the words come as an event',
    recordingstatuscallback: 'the recording comes as an event of the app’s webhook',
  },
  Dial: {
    action: (element) =>
      `${replacedBy(element)}; what should follow a failure alone goes into the <Error> of the <Dial>`,
    method: 'write it at the <Redirect> that takes the place of action',
    callerid: 'write from="…"',
    timelimit: 'the app’s longest call length ends it',
    hanguponstar: 'the keys pass to the other side',
    ringtone: 'the caller hears the ringing tone of North America',
    answeronbridge: 'the callee’s answer answers the caller anyway; leave it out',
    recordingtrack: 'record="record-from-answer" records both',
    recordingstatuscallback: 'the recording comes as an event of the app’s webhook',
    sequential: 'put several <Dial> one after the other',
  },
  Number: { senddigits: 'keys can’t be sent to the other side', url: 'the callee hears nothing before the caller' },
  Sip: {
    username: 'credentials are a trunk’s, never the document’s',
    password: 'credentials are a trunk’s, never the document’s',
  },
  Hangup: { reason: 'leave it out; an unanswered call is declined with <Reject reason="busy"/>' },
  Answer: { timeout: 'write delay="…"' },
};

/** How it is written here; undefined where that dialect has no such element either. */
export function foreignElement(element: Element): string | undefined {
  const name = element.name.toLowerCase();
  return told(own(ELEMENTS, name) ?? (PREFIXED.test(name) ? SPEECH : undefined), element);
}

/** The same for an attribute of an element of ours. @param name the element's in the language */
export function foreignAttribute(element: Element, name: string, attribute: string): string | undefined {
  const word = attribute.toLowerCase();
  return told(own(own(ATTRIBUTES, name) ?? {}, word) ?? own(ATTRIBUTES['*']!, word), element);
}

/** The remedy for a content that the language refuses, where that dialect would take it. */
export function foreignContent(element: Element): string | undefined {
  const name = element.name.toLowerCase();
  const content = element.text || element.attributes[written(element, 'url') ?? ''] || '';
  if (/^(redirect|callback|play)$/.test(name)) return foreignAddress(content);
  if (!/^(sip|to|dial)$/.test(name)) return undefined;
  if (/^sips:/i.test(content)) return 'calls by TLS are not offered: write sip:user@host';
  const host = content.lastIndexOf('@') + 1;
  const end = content.slice(host).search(/[;?]/);
  const target = end < 0 || host === 0 ? undefined : addressTarget(content.slice(0, host + end));
  if (!target) return undefined;
  const why = content.slice(host).includes('?')
    ? 'headers can’t be given to the callee; tell your own server with <Curl>'
    : 'of its parameters only transport=udp, transport=tcp and user=phone are taken';
  return `write ${target}: ${why}`;
}

/** For an address that counts from that of its document. */
export const foreignAddress = (address: string): string | undefined =>
  address === '' || /^[a-z][a-z\d+.-]*:/i.test(address)
    ? undefined
    : 'a document has no address of its own that others would count from: write it whole, like https://example.com/flow';

/** There what answers `action` takes the place of the rest, here the rest runs: Redirect does the former. */
function replacedBy({ name }: Element): string {
  return `put <Redirect>https://…</Redirect> directly behind the <${name}>, and take away what follows: the answer replaces the document`;
}

/** There only # ends the input, any number of keys is taken, and what follows is for silence alone. */
function gatherAction(element: Element): string {
  const missing = [
    'callback="https://…"',
    ...(written(element, 'finishOnKey') ? [] : ['finishOnKey="#"']),
    ...(written(element, 'numDigits') ? [] : ['numDigits="32"']),
  ];
  return `write ${missing.join(' ')}, and move what follows the <Gather> into its <Error>: it would be heard after a good input, too; answer success=false with nothing`;
}

/** Two times there: of silence, and of the whole. Here there is the latter alone. */
function longestOf(element: Element): string {
  const seconds = element.attributes[written(element, 'maxLength') ?? ''] ?? '';
  const longest =
    /^\d{1,5}$/.test(seconds) && Number(seconds) > 0 ? String(Math.min(Number(seconds), 14_400) * 1000) : '…';
  const instead = written(element, 'timeout') ? ' in the place of its timeout' : '';
  return `write timeout="${longest}"${instead}: it is the longest time, in milliseconds; 5 s of silence end a recording whatever it says`;
}

/** A Connect or Start by what it holds. */
function streamOf({ children }: Element): string {
  const [inner] = children;
  return (inner && foreignElement(inner)) ?? STREAM;
}

const told = (advice: Advice | undefined, element: Element) =>
  typeof advice === 'function' ? advice(element) : advice;

const own = <T>(table: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
