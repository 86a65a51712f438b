import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseVoice, VOICES } from './voices.ts';

const wish = (voice: string, gender = '', lang = '', kind = '') => ({ voice, gender, lang, kind });

test('a voice that is there is chosen by its code, or by gender and language', () => {
  for (const { code } of VOICES) assert.deepEqual(chooseVoice(wish(code)), { code, exact: true });
  assert.deepEqual(chooseVoice(wish(' RMS ', 'FEMALE', 'en-GB', 'Standard')), { code: 'rms', exact: true });
  assert.deepEqual(chooseVoice(wish('')), { code: 'slt', exact: true });
  assert.deepEqual(chooseVoice(wish('', 'FEMALE', 'en-US', 'Standard')), { code: 'slt', exact: true });
  assert.deepEqual(chooseVoice(wish('', 'MALE')), { code: 'rms', exact: true });
  assert.deepEqual(chooseVoice(wish('', 'MALE', 'en-GB')), { code: 'awb', exact: true });
});

test('the nearest voice speaks where the one asked for isn’t there, and that can be told', () => {
  assert.deepEqual(chooseVoice(wish('en-US-Wavenet-D', 'MALE')), { code: 'rms', exact: false });
  assert.deepEqual(chooseVoice(wish('', 'FEMALE', 'de-DE')), { code: 'slt', exact: false });
  assert.deepEqual(chooseVoice(wish('', 'MALE', 'en-GB', 'WaveNet')), { code: 'awb', exact: false });
  assert.deepEqual(chooseVoice(wish('kal', '', '', 'WaveNet')), { code: 'kal', exact: false });
});

test('codes are told apart, whatever their case', () => {
  assert.equal(new Set(VOICES.map(({ code }) => code.toLowerCase())).size, VOICES.length);
});
