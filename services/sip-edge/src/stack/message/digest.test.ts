// The examples of RFC 7616 3.9.1, which name every input and the result.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestResponse, formatAuthorization, parseChallenge, preferred } from './digest.ts';

const chooseChallenge = (values: string[]) => preferred(values.flatMap((value) => parseChallenge(value) ?? []));

const FIELDS =
  'realm="http-auth@example.org", qop="auth, auth-int", ' +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const credentials = { user: 'Mufasa', password: 'Circle of Life' };
const proof = {
  method: 'GET',
  uri: '/dir/index.html',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  nonceCount: 1,
};

test('both algorithms give the results of RFC 7616', () => {
  const md5 = chooseChallenge([`Digest ${FIELDS}, algorithm=MD5`])!;
  assert.equal(digestResponse(md5, credentials, proof), '8ca523f5e9506fed4657c9700eebdbec');
  const sha = chooseChallenge([`Digest ${FIELDS}, algorithm=SHA-256`])!;
  assert.equal(
    digestResponse(sha, credentials, proof),
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  );
});

test('SHA-256 is preferred where a carrier offers both', () => {
  const chosen = chooseChallenge([`Digest ${FIELDS}, algorithm=MD5`, `Digest ${FIELDS}, algorithm=SHA-256`]);
  assert.equal(chosen?.algorithm, 'SHA-256');
});

test('schemes, algorithms and qualities that we do not know are left alone', () => {
  assert.equal(chooseChallenge(['Basic realm="x"', 'Digest realm="x"', `Digest ${FIELDS}, algorithm=X`]), undefined);
  assert.equal(chooseChallenge(['Digest realm="x", nonce="y", qop="auth-int"']), undefined);
});

test('the header carries what the server needs to compute the same', () => {
  const challenge = chooseChallenge(['Digest realm="r", nonce="n"'])!;
  const value = formatAuthorization(challenge, { user: 'u"', password: 'p' }, proof);
  assert.match(
    value,
    /^Digest username="u\\"", realm="r", nonce="n", uri="\/dir\/index.html", response="[0-9a-f]{32}"/,
  );
  assert.doesNotMatch(value, /nc=/);
});
