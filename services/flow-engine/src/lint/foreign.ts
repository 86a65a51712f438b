/** What another well-known dialect of such documents writes differently, and how it is written here. Data only. */

/** Elements that this language has not; the remedy. */
const ELEMENTS: Record<string, string> = {
  client: 'write <Sip>user@domain</Sip> or <To>user@domain</To>',
  conference: 'there are no conferences; a <Dial> with several targets rings them all at once',
  queue: 'there are no queues; <Hold> lets the caller wait until an order by API begins with <Unhold>',
  enqueue: 'there are no queues; write <Hold>, and end it by an order that begins with <Unhold>',
  leave: 'send the live call an order that begins with <Unhold>',
  sms: 'a call flow sends no messages; tell your own server with <Callback> or <Curl>',
  message: 'a call flow sends no messages; tell your own server with <Callback> or <Curl>',
  refer: 'there is no transfer by REFER; <Dial> connects the caller from here',
  connect: 'write <Dial>',
  start: 'streams are not offered; a recording is <RecordStart/>',
  stop: 'write <RecordStop/>',
  stream: 'streams are not offered; a recording is <RecordStart/>',
  siprec: 'write <RecordStart/>',
  pay: 'payments are not offered; collect keys with <Gather>',
  prompt: 'write <Say> or <Play>',
  room: 'rooms are not offered',
  speak: 'write <Say>',
  getdigits: 'write <Gather>',
  getinput: 'write <Gather>',
  playaudio: 'write <Play>',
  speaksentence: 'write <Say>',
  break: 'speech has no marks here; put a <Pause length="500"/> between two <Say>',
  prosody: 'speech has no marks here; choose a voice with code, gender or lang',
  emphasis: 'speech has no marks here',
  'say-as': 'speech has no marks here; write the words out',
};

/** Attributes by element; the remedy. `*` stands for every element. */
const ATTRIBUTES: Record<string, Record<string, string>> = {
  '*': {
    action: 'put a <Callback url="…"/> behind it',
    statuscallback: 'events go to the webhook of the app',
    statuscallbackevent: 'events go to the webhook of the app',
    statuscallbackmethod: 'events go to the webhook of the app',
  },
  Gather: {
    action: 'write callback="…" (asked after each attempt), or put a <Callback> into the branch',
    input: 'keys only; leave it out',
    speechtimeout: 'keys only; leave it out',
    speechmodel: 'keys only; leave it out',
    hints: 'keys only; leave it out',
    language: 'keys only; leave it out',
    partialresultcallback: 'keys only; leave it out',
    actiononemptyresult: 'callback is asked after silence too; leave it out',
    bargein: 'the first key always stops the prompt; leave it out',
  },
  Say: {
    voice: 'write gender="FEMALE" or gender="MALE", or code="…" of a voice',
    language: 'write lang="en-US"',
  },
  Play: { digits: 'keys can’t be sent to the other side' },
  Record: {
    action: 'put a <Callback url="…"/> behind it; the recording comes as an event',
    method: 'put a <Callback> behind it',
    maxlength: 'write timeout="…" in milliseconds',
    finishonkey: '# ends an empty Record; a block Record ends with the verbs in it',
    playbeep: 'put a <Tone hz="1000" don="200" doff="0"/> before it',
    trim: 'leave it out: leading silence counts',
    transcribe: 'write asr="true"',
    transcribecallback: 'write asr="true"; the words come as an event',
    recordingstatuscallback: 'the recording comes as an event of the app’s webhook',
  },
  Dial: {
    action: 'put what follows behind the <Dial>, and what follows a failure into its <Error>',
    method: 'put a <Callback> behind the <Dial>',
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
export const foreignElement = (name: string): string | undefined => own(ELEMENTS, name.toLowerCase());

/** The same for an attribute of an element of ours. */
export function foreignAttribute(element: string, name: string): string | undefined {
  const word = name.toLowerCase();
  return own(own(ATTRIBUTES, element) ?? {}, word) ?? own(ATTRIBUTES['*']!, word);
}

const own = <T>(table: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
