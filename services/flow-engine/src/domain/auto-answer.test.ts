/** With `auto_answer` the call is answered before the first verb, whatever that verb is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tell } from '../simulate/tell.ts';

for (const verb of [
  '<Callback url="http://a.test/"/>',
  '<Callback url="http://a.test/" method="POST" body="true"/>',
  '<Curl url="http://a.test/" method="POST" body="true"/>',
  '<Say>hello</Say>',
  '<Pause length="500"/>',
  '<Meta name="a" value="1"/>',
  '<Dial><To>12125550100</To></Dial>',
  '<Call field="state" value="live"><Say>live</Say></Call>',
  '<Redirect>http://a.test/</Redirect>',
  '<Hangup/>',
])
  test(`${verb} begins once the call is answered`, () => {
    const { events } = tell(verb, { autoAnswer: true });
    const types = events.map(({ type }) => type);
    const [answered, begun] = [types.indexOf('LegAnswered'), types.indexOf('VerbStarted')];
    assert.ok(answered > 0 && begun > answered, types.join(' '));
    for (const event of events)
      if (event.type === 'DocumentRequested' && event.purpose === 'callback' && !event.body)
        assert.match(event.url, /state=live/);
      else if (event.type === 'DocumentRequested' && event.body) assert.match(event.body, /"state":"live"/);
  });

test('without it a Callback is asked before the answer', () => {
  const { events } = tell('<Callback url="http://a.test/"/><Say>hello</Say>', { autoAnswer: false });
  const asked = events.find((event) => event.type === 'DocumentRequested');
  assert.match(asked?.type === 'DocumentRequested' ? asked.url : '', /state=init/);
});
