/** Items 14 and 15: signatures in the hands of third parties, and what lies readable in the databases. */
import pg from 'pg';
import { type Asked, isSigned, openCustomer } from '../../kit/customer.ts';
import type { Attack } from '../attack.ts';
import { bye, call, offer, openDatagrams, sleep } from '../sip.ts';

const thirdParty: Attack = {
  item: '14.1',
  name: 'a document that has a third party asked: is what it holds worth anything at the customer’s server?',
  short: true,
  async run(arena) {
    const [from, third] = await Promise.all([openDatagrams('127.0.0.72'), openCustomer()]);
    const { evil, evilSecret, platform } = arena;
    third.on('/asked', '<Response/>');
    third.on('/redirected', '<Response/>');
    evil.on('/away', (response) => void response.writeHead(302, { location: `${third.url}/redirected` }).end());
    evil.on(
      '/flow',
      `<Response><Callback url="${third.url}/asked" method="POST"/><Redirect>${evil.url}/away</Redirect></Response>`,
    );
    const since = evil.asked.length;
    const placed = await call(from, platform.sipPort, arena.evilNumber, offer(from.address, 40_000));
    const of = (path: string) => third.asked.find((a) => a.path === path);
    for (const end = Date.now() + 5_000; !of('/redirected') && Date.now() < end; await sleep(50));
    bye(from, platform.sipPort, placed);
    await sleep(200);
    await Promise.all([from.close(), third.close()]);
    const [asked, redirected] = [of('/asked'), of('/redirected')];
    const first = evil.asked.slice(since).find((a) => a.path === '/flow');
    const rightOnes = [
      first !== undefined && isSigned(first, evil.url, evilSecret),
      asked !== undefined && isSigned(asked, third.url, evilSecret),
    ];
    const valid = asked ? replays(asked, evil.url, third.url).filter(([, a, at]) => isSigned(a, at, evilSecret)) : [];
    const carried = Object.keys(redirected?.headers ?? {}).filter((name) => /opentact|auth|sign/.test(name));
    return {
      sent: 'a <Callback> to a third party, and a document that redirects there',
      did: `signatures were valid where they were meant for: ${rightOnes.join(', ')}; replayed elsewhere: ${valid.map(([what]) => what).join(', ') || 'none valid'}; the redirect carried ${carried.join(', ') || 'nothing signed'}`,
      ok: rightOnes.every(Boolean) && valid.length === 0 && redirected !== undefined && carried.length === 0,
    };
  },
};

/** What whoever holds a signed request may try with it. */
function replays(asked: Asked, customer: string, third: string): Array<[string, Asked, string]> {
  return [
    ['at the customer', asked, customer],
    ['at the customer’s document', { ...asked, target: '/flow', method: 'GET' }, customer],
    ['another method', { ...asked, method: 'GET' }, third],
    ['another address', { ...asked, target: '/other' }, third],
    ['another query', { ...asked, target: `${asked.target}&more=1` }, third],
    ['another key', { ...asked, idempotencyKey: 'another' }, third],
    ['another body', { ...asked, body: `${asked.body} ` }, third],
  ];
}

const SENTINEL = 'e1f0c0ffee5ec2e7e1f0c0ffee5ec2e7';

const callersHeader: Attack = {
  item: '15.1',
  name: 'the Digest header of a caller, looked for in the journal',
  async run(arena) {
    const from = await openDatagrams('127.0.0.73');
    arena.evil.on('/flow', '<Response><Pause length="20000"/></Response>');
    const digest = `Digest username="a",realm="r",nonce="n",uri="sip:x",response="${SENTINEL}"`;
    const lines = [`Authorization: ${digest}`, `Proxy-Authorization: ${digest}`, 'X-Customer: seen'];
    const sdp = offer(from.address, 40_000);
    const placed = await call(from, arena.platform.sipPort, arena.evilNumber, sdp, { lines });
    await sleep(500);
    bye(from, arena.platform.sipPort, placed);
    await arena.platform.ended(placed.platformCallId).catch(() => []);
    await from.close();
    const urls = [arena.databaseUrl, arena.databaseUrl.replace(/\/opentact(?=$|\?)/, '/opentact_api')];
    const [found, control] = await Promise.all([holding(urls, SENTINEL), holding(urls, placed.callId)]);
    return {
      sent: 'an INVITE with Authorization and Proxy-Authorization',
      did: `its response is in ${found.join(', ') || 'no table'}; the Call-ID, to compare, in ${control.join(', ') || 'none'}`,
      ok: placed.status === 200 && found.length === 0 && control.some((table) => table.startsWith('log_record')),
    };
  },
};

const trunksPassword: Attack = {
  item: '15.2',
  name: 'the trunk’s password, looked for in every table of both databases',
  trunked: true,
  async run(arena) {
    const { databases, password, user } = await arena.trunked();
    const [found, control] = [await holding(databases, password), await holding(databases, user)];
    return {
      sent: 'nothing; a dump of the databases was read',
      did: `the password is in ${found.join(', ') || 'no table'}; its user, to compare, in ${control.join(', ') || 'none'}`,
      ok: found.length === 0 && control.includes('trunk'),
    };
  },
};

/** The tables that hold a text, as text or within bytes. */
async function holding(urls: string[], text: string): Promise<string[]> {
  const found: string[] = [];
  for (const connectionString of urls) {
    const db = new pg.Client({ connectionString });
    await db.connect();
    try {
      const { rows } = await db.query<{ name: string }>(
        `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'r' and n.nspname = 'public'`,
      );
      const wanted = [`%${text}%`, `%${Buffer.from(text).toString('hex')}%`];
      for (const { name } of rows) {
        const hit = await db.query(
          `select 1 from ${name} as t where t::text like $1 or t::text like $2 limit 1`,
          wanted,
        );
        if (hit.rowCount) found.push(name);
      }
    } finally {
      await db.end();
    }
  }
  return found;
}

export const SECRETS = [thirdParty, callersHeader, trunksPassword];
