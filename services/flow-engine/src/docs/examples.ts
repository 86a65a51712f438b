/** One example for each element of the language, as LANGUAGE.md shows it. Each is a whole document's content that runs. */

/** By canonical element name; what stands in it is put into a Response. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  Answer: '<Answer tag="charged"/>\n<Say>From here on the call is charged.</Say>',
  Say: '<Say gender="MALE" lang="en-US">Thank you for calling.</Say>',
  Play: '<Play url="https://example.com/welcome.mp3">\n  <Error><Say>Welcome.</Say></Error>\n</Play>',
  Pause: '<Pause length="2000" dtmf_stop="#"/>\n<Say>Hello again.</Say>',
  Gather:
    '<Gather numDigits="1" attempts="2" timeout="10000">\n  <Say>Press 1 for sales.</Say>\n  <Switch>\n    <Case dtmf="1"><Dial><Sip>sales@192.0.2.10:5060</Sip></Dial></Case>\n    <Default><Say>There is nothing behind that key.</Say></Default>\n    <Error><Say>Good bye.</Say></Error>\n  </Switch>\n</Gather>',
  Switch:
    '<Gather numDigits="1">\n  <Say>Press 1.</Say>\n  <Switch>\n    <Case dtmf="1"><Say>One.</Say></Case>\n    <Error><Say>Nothing was entered.</Say></Error>\n  </Switch>\n</Gather>',
  Case: '<Gather numDigits="2" finishOnKey="">\n  <Say>Your department, please.</Say>\n  <Switch>\n    <Case dtmf="42"><Say>Forty two.</Say></Case>\n    <Error><Hangup/></Error>\n  </Switch>\n</Gather>',
  DTMF: '<Gather dtmf_stop="#">\n  <Say>Enter your number, then the hash key.</Say>\n  <DTMF value="17"><Say>Seventeen.</Say></DTMF>\n  <Default><Say>Nobody has that number.</Say></Default>\n</Gather>',
  Default:
    '<Gather numDigits="1">\n  <Say>Press 1.</Say>\n  <Case dtmf="1"><Say>One.</Say></Case>\n  <Default><Say>That was another key.</Say></Default>\n  <Error><Say>That was no key.</Say></Error>\n</Gather>',
  Error:
    '<Callback url="https://example.com/flow">\n  <Error><Say>We will be right back.</Say></Error>\n</Callback>\n<Error><Say>Something failed.</Say></Error>',
  Record:
    '<Say>Leave a message, then press hash.</Say>\n<Record tag="message" timeout="45000" asr="true"/>\n<Play record="message"/>',
  RecordStart:
    '<RecordStart tag="all"/>\n<Dial><To>12125550100</To></Dial>\n<RecordStop tag="all"/>\n<RecordWait tag="all" timeout="10000"/>\n<Play record="all"/>',
  RecordStop: '<RecordStart/>\n<Say>You are being recorded.</Say>\n<RecordStop/>',
  RecordWait:
    '<RecordStart tag="a"/>\n<Say>Hello.</Say>\n<RecordStop tag="a"/>\n<RecordWait tag="a"/>\n<Play record="a"/>',
  Dial: '<Dial timeout="20000" from="18005550100" record="record-from-answer">\n  <To>12125550100</To>\n  <To>sip:sales@example.com</To>\n  <Error><Say>Nobody is there.</Say></Error>\n</Dial>\n<Say>They left.</Say>',
  To: '<Dial><To>sales@example.com</To></Dial>',
  Sip: '<Dial><Sip>1000@192.0.2.10:5060</Sip></Dial>',
  Number: '<Dial><Number>12125550100</Number></Dial>',
  Group: '<Dial><Group>5f0c6a1e-7b1d-4c59-9f43-1f2f3a4b5c6d</Group></Dial>',
  Callback:
    '<Callback url="https://example.com/flow" method="POST" body="true" timeout="5000" tag="menu">\n  <Meta name="step" value="2"/>\n  <Error><Say>Please call again later.</Say></Error>\n</Callback>',
  Redirect: '<Redirect>https://example.com/next</Redirect>',
  Reject: '<Reject reason="busy"/>',
  Hangup: '<Say>Good bye.</Say>\n<Hangup tag="done"/>',
  Tone: '<Tone hz="480,620" don="500" doff="500" volume="-12" timeout="5000"/>\n<Hangup/>',
  Hold: '<Say>One moment, please.</Say>\n<Hold timeout="120000">\n  <Play>https://example.com/music.mp3</Play>\n</Hold>\n<Say>Nobody came.</Say>',
  Unhold: '<Unhold/>\n<Say>Thank you for waiting.</Say>',
  Call: '<Call field="to" value="18005550100">\n  <Say>This is the free number.</Say>\n</Call>\n<Say>Welcome.</Say>',
  Geo: '<Geo states="NY,NJ"><Say>Hello, neighbour.</Say></Geo>\n<Say>Welcome.</Say>',
  Schedule:
    '<Schedule dow="mon,tue,wed,thu,fri" time="09:00:00-16:59:59" tz="America/New_York">\n  <Dial><To>12125550100</To></Dial>\n  <Hangup/>\n</Schedule>\n<Say>We are closed.</Say>',
  Meta: '<Meta name="language" value="en"/>\n<Callback url="https://example.com/flow">\n  <Meta name="step">3</Meta>\n</Callback>',
  Curl: '<Curl url="https://example.com/customer" tag="crm" timeout="3000">\n  <Meta name="question" value="tier"/>\n  <Header name="X-Department" value="sales"/>\n</Curl>\n<Call field="meta.crm.vip" value="true"><Say>Welcome back.</Say></Call>',
  Header:
    '<Curl url="https://example.com/log" method="POST">\n  <Header name="Content-Type" value="text/plain"/>\n  A call came in.\n</Curl>',
};
