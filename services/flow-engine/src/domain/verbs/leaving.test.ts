/** Hangup, Reject, Redirect and Callback: contracts.md, language 6 and 7. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../../simulate/tell.ts';

const serve = (body: string, status = 200) => ({ server: () => ({ status, body }) });

test('Hangup ends the call at once', () => {
  const told = tell('<Hangup/><Say>never</Say>');
  assert.deepEqual(told.words, []);
  assert.equal(told.ended, 'document hangup');
});

test('Reject declines an unanswered call with 603, or 486 for busy', () => {
  const status = (verbs: string) => tell(verbs, { autoAnswer: false }).of('HangupRequested')[0]!.status;
  assert.equal(status('<Reject/>'), 603);
  assert.equal(status('<Reject reason="busy"/>'), 486);
});

test('a fetched document runs in the place of its Callback, then the flow continues', () => {
  const told = tell(
    '<Callback url="http://a.test/"/><Say>after</Say>',
    serve('<Response><Say>fetched</Say></Response>'),
  );
  assert.deepEqual(told.words, ['fetched', 'after']);
  assert.deepEqual(told.verbs.slice(0, 2), ['Callback[0] fetched', 'Callback[0].Say[0] finished']);
});

test('an empty answer is success with nothing to run; what isn’t XML fails to its Error', () => {
  assert.deepEqual(
    tell('<Callback url="http://a.test/"><Error><Say>failed</Say></Error></Callback><Say>after</Say>', serve('')).words,
    ['after'],
  );
  assert.deepEqual(
    tell(
      '<Callback url="http://a.test/"><Error><Say>failed</Say></Error></Callback><Say>after</Say>',
      serve('<html>hi'),
    ).words,
    ['failed', 'after'],
  );
  assert.deepEqual(tell('<Callback url="http://a.test/"/><Say>after</Say>', serve('', 500)).words, ['after']);
});

test('a fetched document’s own Error serves what fails within it, then hangs up', () => {
  const told = tell(
    '<Callback url="http://a.test/"/><Say>never</Say><Error><Say>outer</Say></Error>',
    serve('<Response><Play record="none"/><Error><Say>inner</Say></Error></Response>'),
  );
  assert.deepEqual(told.words, ['inner']);
});

test('method in any case, GET by default, URL as attribute or content', () => {
  const method = (verbs: string) => tell(verbs).of('DocumentRequested')[0]!.method;
  assert.equal(method('<Callback url="http://a.test/"/>'), 'GET');
  assert.equal(method('<callback method="post">http://a.test/</callback>'), 'POST');
  assert.equal(method('<Callback method="pAtCh" url="http://a.test/"/>'), 'PATCH');
});

test('the query keeps what was there and adds the call, the tag and the last digits', () => {
  const told = tell(
    '<Say>x</Say><Gather numDigits="1"><Switch><Case dtmf="4"><Callback url="http://a.test/?a=b" tag="t"/></Case></Switch></Gather>',
    { pressAt: [{ at: 100, digit: '4' }] },
  );
  const query = new URL(told.of('DocumentRequested')[0]!.url).searchParams;
  assert.deepEqual([...query.keys()], ['a', 'from', 'tn', 'state', 'sca', 'call', 'tag', 'dtmf']);
  assert.equal(query.get('dtmf'), '4');
  assert.equal(query.get('state'), 'live');
});

test('the body is sent only where it is asked for and the method has one', () => {
  const body = (verbs: string) => tell(verbs).of('DocumentRequested')[0]!.body;
  assert.equal(body('<Callback url="http://a.test/" body="true"/>'), '');
  assert.equal(JSON.parse(body('<Callback url="http://a.test/" method="POST" body="true"/>')).type, 'CallSCA');
});

test('a caller who hangs up meanwhile: the Callback finishes, and its reply isn’t run', () => {
  const told = tell('<Say>x</Say><Callback url="http://a.test/"/>', {
    ...serve('<Response><Say>late</Say></Response>'),
    hangupAfterMs: 62,
  });
  assert.equal(told.ended, 'caller bye');
  assert.equal(told.of('DocumentFetched').length, 1);
  assert.deepEqual(told.words, ['x']);
});

test('Redirect replaces everything, and its failure hangs up for the customer’s server', () => {
  let n = 0;
  const told = tell('<Say>a</Say><Redirect>http://a.test/</Redirect><Say>never</Say>', {
    server: () => (n++ === 0 ? { status: 200, body: '<Response><Say>b</Say></Response>' } : { status: 500, body: '' }),
  });
  assert.deepEqual(told.words, ['a', 'b']);
  assert.equal(told.of('VerbStarted').at(-1)!.document, 2);
  assert.equal(tell('<Redirect>http://a.test/</Redirect>', serve('', 500)).ended, 'customer-server http');
});

test('an app with a URL runs what it answers; its static document is the fallback; neither ends in 480', () => {
  const app = { callFlowUrl: 'http://a.test/flow' };
  assert.deepEqual(tell('<Say>static</Say>', { ...app, ...serve('<Response><Say>url</Say></Response>') }).words, [
    'url',
  ]);
  assert.deepEqual(tell('<Say>static</Say>', { ...app, ...serve('', 500) }).words, ['static']);
  const none = tell('', { ...app, xml: '', autoAnswer: false, ...serve('', 0) });
  assert.equal(none.ended, 'customer-server connect');
  assert.equal(none.of('HangupRequested')[0]!.status, 480);
});

test('a document that redirects for ever ends after 100 documents', () => {
  const told = tell(
    '<Redirect>http://a.test/</Redirect>',
    serve('<Response><Redirect>http://a.test/</Redirect></Response>'),
  );
  assert.equal(told.ended, 'document too-many-documents');
  assert.equal(told.of('DocumentRequested').length, 100);
});

test('callbacks within callbacks end eight deep', () => {
  const told = tell('<Callback url="http://a.test/"/>', serve('<Response><Callback url="http://a.test/"/></Response>'));
  assert.ok(
    told.verbs.some((v) => v.endsWith('nested-too-deep')),
    told.verbs.join(),
  );
  assert.equal(told.of('DocumentRequested').length, 8);
});
