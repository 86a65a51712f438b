/** A forgotten password, from the asking to the log-in; by a mail that a small SMTP server took, and by one in a file. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PASSWORD } from '../../testing/scene.ts';
import { openStand, type Stand } from '../../testing/stand.ts';
import { fileMail, type Mail, smtpMail } from '../mail.ts';

const NEW = 'another fine password';
const sockets = new Set<Socket>();
const inbox: Array<{ from: string; to: string[]; data: string }> = [];
let smtp: Server;
let mail: Mail;
let stand: Stand;

/** As much of RFC 5321 as a client needs to hand a mail over. */
function serve(socket: Socket): void {
  sockets.add(socket);
  let [text, isData] = ['', false];
  let letter = { from: '', to: [] as string[], data: '' };
  socket.write('220 test\r\n');
  socket.on('data', (bytes) => {
    text += bytes;
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (isData && line === '.') {
        inbox.push(letter);
        letter = { from: '', to: [], data: '' };
        isData = false;
        socket.write('250 taken\r\n');
      } else if (isData) letter.data += `${line.replace(/^\./, '')}\n`;
      else if (/^(EHLO|HELO)/.test(line)) socket.write('250-test\r\n250 SIZE 1000000\r\n');
      else if (line.startsWith('MAIL FROM:')) {
        letter.from = line.slice(10);
        socket.write('250 ok\r\n');
      } else if (line.startsWith('RCPT TO:')) {
        letter.to.push(line.slice(8));
        socket.write('250 ok\r\n');
      } else if (line === 'DATA') {
        isData = true;
        socket.write('354 go on\r\n');
      } else if (line === 'QUIT') socket.end('221 bye\r\n');
      else socket.write('250 ok\r\n');
    }
  });
}

before(async () => {
  smtp = createServer(serve).listen(0, '127.0.0.1');
  await once(smtp, 'listening');
  mail = smtpMail(`smtp://127.0.0.1:${(smtp.address() as AddressInfo).port}`, 'us@example.test');
  const mayLeadTo = (origin: string) => origin === 'https://portal.example';
  stand = await openStand({ mail, mayLeadTo });
});
after(async () => {
  await stand.close();
  mail.close();
  for (const socket of sockets) socket.destroy();
  smtp.close();
});

async function letter(count: number): Promise<string> {
  for (const end = Date.now() + 20_000; inbox.length < count; await new Promise((r) => setTimeout(r, 10)))
    if (Date.now() > end) throw new Error(`${inbox.length} mails of ${count}`);
  return inbox[count - 1]!.data.replaceAll('=\n', '').replaceAll('=3D', '=');
}
const path = (email: string, callback?: string) =>
  `/user/password_reset?email=${encodeURIComponent(email)}${callback ? `&callback=${encodeURIComponent(callback)}` : ''}`;
const reset = (token: string, password = NEW) =>
  stand.ask('POST', '/user/password_reset', { body: { token, password } });

test('a reset is mailed, serves once, and ends what was logged in', async () => {
  const { email, jwt } = await stand.signedUp();
  const { payload: key } = await stand.ask('POST', '/token', { as: jwt, body: { name: 'k' } });
  assert.equal((await stand.ask('GET', path(email, 'https://portal.example/set?t={token}&x=1'))).status, 200);
  const text = await letter(1);
  assert.deepEqual([inbox[0]!.from, inbox[0]!.to], ['<us@example.test>', [`<${email}>`]]);
  const [, token = ''] = /https:\/\/portal\.example\/set\?t=([\w-]+)&x=1/.exec(text) ?? [];
  assert.equal(token.length, 43, text);
  const kept = JSON.stringify(await stand.db.selectFrom('password_reset').selectAll().execute());
  assert.ok(!kept.includes(token) && kept.includes('digest'));
  assert.equal((await reset(token, 'short')).status, 400);
  assert.equal((await reset(token)).status, 200);
  assert.equal((await reset(token)).status, 404, 'once');
  assert.equal((await stand.ask('GET', '/user', { as: jwt })).status, 401, 'a log-in from before');
  assert.equal((await stand.ask('GET', '/auth', { basic: `${email}:${PASSWORD}` })).status, 401);
  const again = await stand.ask('GET', '/auth', { basic: `${email}:${NEW}` });
  assert.equal((await stand.ask('GET', '/user', { as: again.payload.token })).status, 200, 'at once');
  assert.equal((await stand.ask('GET', '/user', { as: key.token })).status, 200, 'API keys stay');
});

test('what is over or replaced no longer serves', async () => {
  const { email } = await stand.signedUp();
  await stand.ask('GET', path(email));
  await stand.ask('GET', path(email));
  await letter(2);
  const tokens = [await letter(2), await letter(3)].map((text) => /\n([\w-]{43})\n/.exec(text)?.[1] ?? '');
  await stand.db
    .updateTable('password_reset')
    .set({ expires_on: new Date(0) })
    .execute();
  assert.equal((await reset(tokens[0]!)).status, 404, 'an hour later');
  await stand.db
    .updateTable('password_reset')
    .set({ expires_on: new Date(Date.now() + 60_000) })
    .execute();
  assert.equal((await reset(tokens[1]!)).status, 200);
  assert.equal((await reset(tokens[0]!)).status, 404, 'one of them was used');
  assert.equal((await reset('x'.repeat(43))).status, 404);
});

test('asked too often it is 429; the answer tells nobody who is a user here', async () => {
  const { email } = await stand.signedUp();
  const before = inbox.length;
  const answers = async (of: string) => {
    const found = [];
    for (let i = 0; i < 4; i++) found.push(await stand.ask('GET', path(of)));
    return found.map(({ status, payload, message }) => [status, payload, message]);
  };
  const [known, unknown] = [await answers(email), await answers('nobody@example.test')];
  assert.deepEqual(known, unknown);
  assert.deepEqual(
    known.map(([status]) => status),
    [200, 200, 200, 429],
  );
  await letter(before + 3);
  assert.deepEqual(
    inbox.slice(before).flatMap(({ to }) => to),
    Array(3).fill(`<${email}>`),
  );
});

test('a callback that is no plain link, or leads elsewhere, is refused before anything is mailed', async () => {
  const before = inbox.length;
  for (const callback of [
    'javascript:alert(1)//{token}',
    'https://portal.example/{token}\r\nBcc: everybody@example.test',
    'https://portal.example/ {token}',
    'https://user:pass@portal.example/{token}',
    'https://elsewhere.example/{token}',
    'https://portal.example/without',
    '//portal.example/{token}',
  ]) {
    const answer = await stand.ask('GET', path('person0@example.test', callback));
    assert.deepEqual([answer.status, Object.keys(answer.fields)], [400, ['query.callback']], callback);
  }
  assert.equal(
    (await stand.ask('GET', `/user/password_reset?email=${encodeURIComponent('a@b.test\r\nBcc: c@d.test')}`)).status,
    400,
  );
  assert.equal(inbox.length, before);
});

test('a SIP user sets a new password in the same way, and the HA1B of the old one ends', async () => {
  const { jwt, email } = await stand.signedUp();
  const domain = `${email.split('@')[0]}.sip.example`;
  const made = await stand.ask('POST', '/sip/domain', { as: jwt, body: { domain } });
  assert.equal(made.status, 201, `${made.message} ${JSON.stringify(made.fields)}`);
  for (const login of ['ann', 'bob']) {
    const body = { login, password: PASSWORD, email: 'Shared@example.test' };
    assert.equal((await stand.ask('POST', `/sip/domain/${domain}/user`, { as: jwt, body })).status, 201);
  }
  const enter = async (login: string, password: string) => {
    const ha1b = createHash('md5').update(`${login}@${domain}:${domain}:${password}`).digest('hex');
    return (await stand.ask('GET', '/app', { headers: { 'x-auth-ha1b-token': ha1b } })).status;
  };
  const before = inbox.length;
  assert.equal((await stand.ask('GET', '/app/password_reset?email=shared@example.test')).status, 200);
  const texts = [await letter(before + 1), await letter(before + 2)];
  const ofBob = texts.find((text) => text.includes(`bob@${domain}`))!;
  const token = /\n([\w-]{43})\n/.exec(ofBob)?.[1] ?? '';
  assert.equal((await reset(token)).status, 404, 'it is no token of a user of the API');
  const answer = await stand.ask('POST', '/app/password_reset', { body: { token, password: NEW } });
  assert.equal(answer.status, 200, answer.message);
  assert.deepEqual(
    [await enter('bob', NEW), await enter('bob', PASSWORD), await enter('ann', PASSWORD)],
    [200, 401, 200],
  );
  assert.equal(
    (await stand.ask('POST', '/app/password_reset', { body: { token, password: NEW } })).status,
    404,
    'once',
  );
});

test('without SMTP a mail is a file that only its owner reads', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'opentact-mail-')), 'mail');
  const files = fileMail(folder, 'us@example.test');
  await files.send({ to: 'ann@example.test', subject: 'Hello', text: 'A line.\n' });
  await assert.rejects(files.send({ to: 'ann@example.test\nBcc: x@y.test', subject: 'Hello', text: '' }), /one line/);
  const [name, ...more] = await readdir(folder);
  assert.deepEqual(more, []);
  assert.equal((await stat(join(folder, name!))).mode & 0o777, 0o600);
  assert.match(await readFile(join(folder, name!), 'utf8'), /^To: ann@example\.test$[\s\S]*A line\./m);
  files.close();
  await rm(join(folder, '..'), { recursive: true });
});
