/** Items 5 (guesses), 7 and 11: passwords, the trunk's among them, and who is asked for a token. */
import { readdirSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials, Client as Grpc, Metadata, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { socketPath } from '@opentact/runtime';
import pg from 'pg';
import type { Arena } from '../arena.ts';
import type { Attack } from '../attack.ts';
import { numberOf } from '../numbers.ts';
import { bye, call, offer, openDatagrams } from '../sip.ts';
import { portOf, responseTo, THIEF, type Trunked } from '../trunked.ts';

type Asking = { path: string; localAddress: string; headers?: Record<string, string> };

/** The status of one GET from a source address of one's own. */
function statusOf(port: number, { path, localAddress, headers = {} }: Asking): Promise<number> {
  return new Promise((done, failed) => {
    get({ host: '127.0.0.1', port, path, localAddress, headers, agent: false }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    }).on('error', failed);
  });
}

const basic = (email: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${email}:${password}`).toString('base64')}`,
});

const guesses: Attack = {
  item: '5.3',
  name: 'wrong passwords for a user, from one address and then from many',
  async run(arena) {
    const port = arena.platform.httpPort;
    const [email, password] = [`right.${Date.now()}@example.test`, 'correct horse battery'];
    const made = await fetch(`http://127.0.0.1:${port}/rest/user`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    const asked = (localAddress: string, with_: string) =>
      statusOf(port, { path: '/rest/auth', localAddress, headers: basic(email, with_) });
    const usual = await asked('127.0.0.80', password);
    const wrong: number[] = [];
    for (let n = 0; n < 14; n++) wrong.push(await asked('127.0.0.66', `guess ${n}`));
    const [elsewhere, there] = [await asked('127.0.0.81', password), await asked('127.0.0.66', password)];
    for (let n = 0; n < 60; n++) wrong.push(await asked(`127.0.0.${100 + (n % 20)}`, `other guess ${n}`));
    const later = await asked('127.0.0.80', password);
    const judged = wrong.filter((s) => s === 401).length;
    return {
      sent: `${wrong.length} wrong passwords for one user, 14 from one address and the rest from 20`,
      did: `${judged} were judged, ${wrong.filter((s) => s === 429).length} refused by 429; the right one: ${elsewhere} from a new address after the first 14, ${there} from the guesser's, ${later} in the end from where its user had come in before (${usual})`,
      ok: made.ok && usual === 200 && elsewhere === 200 && there === 429 && later === 200 && judged <= 40,
    };
  },
};

type Trap = { name: string; answer(invite: string, thief: { address: string; port: number }): string };

/** Ways to have requests of the trunk's dialog go to somebody else. */
const TRAPS: Trap[] = [
  {
    name: 'Contact',
    answer: (invite, thief) => responseTo(invite, 200, { contact: thief, sdp: offer('127.0.0.1', 40_000) }),
  },
  {
    name: 'Record-Route',
    answer: (invite, thief) =>
      responseTo(invite, 200, {
        contact: thief,
        lines: [`Record-Route: <sip:${thief.address}:${thief.port};lr>`],
        sdp: offer('127.0.0.1', 40_000),
      }),
  },
  { name: 'a 302', answer: (invite, thief) => responseTo(invite, 302, { contact: thief }) },
];

const challenge = (name: string) =>
  `${name}-Authenticate: Digest realm="carrier", nonce="n0nce", algorithm=MD5, qop="auth"`;
const CREDENTIALS = /^(Proxy-)?Authorization:/im;

const trunksPassword: Attack = {
  item: '7.1',
  name: 'a Contact, a Record-Route and a redirect that lead to a stranger, who challenges whatever comes',
  trunked: true,
  async run(arena) {
    const trunked = await arena.trunked();
    const { carrier, operator } = trunked;
    const usual = carrier.answer;
    const thief = await openDatagrams(THIEF);
    const heard: string[] = [];
    thief.on((bytes) => {
      const text = bytes.toString('latin1');
      heard.push(text);
      if (/^[A-Z]+ /.test(text) && !text.startsWith('ACK'))
        thief.send(
          responseTo(text, heard.length % 2 ? 401 : 407, { lines: [challenge('WWW'), challenge('Proxy')] }),
          portOf(text),
        );
    });
    const since = carrier.invites.length;
    const { lease } = await numberOf(operator);
    for (const trap of TRAPS) {
      // The carrier asks for the password first, as carriers do: that answer is its own.
      carrier.answer = (invite) =>
        CREDENTIALS.test(invite)
          ? trap.answer(invite, thief)
          : responseTo(invite, 407, { lines: [challenge('Proxy')] });
      await oneCall(trunked, lease);
    }
    carrier.answer = usual;
    await thief.close();
    const stolen = heard.filter((text) => CREDENTIALS.test(text)).length;
    const answered = carrier.invites.slice(since).filter((text) => CREDENTIALS.test(text)).length;
    const methods = [...new Set(heard.map((text) => text.split(' ')[0]))];
    return {
      sent: `calls by the trunk, whose carrier asks for the password and then names ${THIEF} by ${TRAPS.map((t) => t.name).join(', ')}`,
      did: `the carrier got credentials in ${answered} INVITEs; the stranger got ${heard.length} messages (${methods.join(', ')}), ${stolen} of them with credentials`,
      ok: stolen === 0 && answered > 0 && heard.length > 0,
    };
  },
};

/** A call out by the operator's trunk, hung up by us after a second. */
async function oneCall({ platform, operator }: Trunked, lease: string): Promise<void> {
  const xml = '<Response><Pause length="1000"/></Response>';
  const { uuid } = await operator.createCall({ body: { to: '12025550143', tn_lease: lease, xml } });
  await platform.ended(uuid, 8_000).catch(() => []);
}

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const FILES = ['call/v1/call_control', 'link/v1/link', 'directory/v1/directory', 'engine/v1/peer', 'sip_edge/v1/peer'];

/** The path of every method of every service that we have. */
const METHODS = FILES.flatMap((file) =>
  Object.entries(loadSync(`opentact/${file}.proto`, { includeDirs: [PROTO] })).flatMap(([, of]) =>
    Object.values(of as Record<string, { path?: unknown }>).flatMap(({ path }) =>
      typeof path === 'string' ? [path] : [],
    ),
  ),
);

/** What one method says to an empty request. */
function codeOf(client: Grpc, path: string, metadata: Metadata): Promise<number> {
  const same = (bytes: Buffer) => bytes;
  return new Promise((done) => {
    const options = { deadline: Date.now() + 1_500 };
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), metadata, options, (error) => done(error?.code ?? 0));
  });
}

const tokens: Attack = {
  item: '11.1',
  name: 'every gRPC method at every port of the platform, without a token and with the wrong ones',
  short: true,
  async run(arena) {
    const addresses = [`127.0.0.1:${arena.platform.grpcPort}`, ...(await nodesOf(arena))];
    const wrong = [undefined, 'Bearer ', 'Bearer wrong', arena.platform.token];
    const codes: Record<string, number> = {};
    const letIn: string[] = [];
    let asked = 0;
    for (const address of addresses) {
      const client = new Grpc(address, credentials.createInsecure());
      // What hears no gRPC there has no method to guard.
      const hears = await new Promise((done) => client.waitForReady(Date.now() + 3_000, (error) => done(!error)));
      if (!hears) {
        client.close();
        continue;
      }
      asked++;
      const asking = METHODS.flatMap((path) => wrong.map((token) => ({ path, token })));
      // The operator's is none for nodes.
      if (address !== addresses[0])
        asking.push(...METHODS.map((path) => ({ path, token: `Bearer ${arena.platform.token}` })));
      await Promise.all(
        asking.map(async ({ path, token }) => {
          const metadata = new Metadata();
          if (token) metadata.set('authorization', token);
          const code = await codeOf(client, path, metadata);
          codes[status[code]!] = (codes[status[code]!] ?? 0) + 1;
          if (![status.UNAUTHENTICATED, status.UNIMPLEMENTED].includes(code))
            letIn.push(`${address}${path} (${status[code]})`);
        }),
      );
      client.close();
    }
    return {
      sent: `${METHODS.length} methods at ${asked} ports, of ${addresses.length} that the registry names`,
      did: `${JSON.stringify(codes)}; let in: ${[...new Set(letIn)].slice(0, 5).join(', ') || 'none'}`,
      ok: letIn.length === 0 && (codes.UNAUTHENTICATED ?? 0) >= (5 * METHODS.length) / FILES.length,
    };
  },
};

/** Where the processes of the platform hear each other, by the registry. */
async function nodesOf(arena: Arena): Promise<string[]> {
  const db = new pg.Client({ connectionString: arena.databaseUrl });
  await db.connect();
  const { rows } = await db.query<{ address: string }>('select distinct address from log_node where not withdrawn');
  await db.end();
  return rows.map(({ address }) => address).filter((address) => /:\d+$/.test(address));
}

const recordings: Attack = {
  item: '11.2',
  name: 'a recording without a token, and what other users of the machine may open',
  async run(arena) {
    const { platform } = arena;
    const from = await openDatagrams('127.0.0.75');
    arena.evil.on('/flow', '<Response><Record timeout="1000"/><Pause length="9000"/></Response>');
    const placed = await call(from, platform.sipPort, arena.evilNumber, offer(from.address, 40_000));
    await platform.until(placed.platformCallId, (e) => e.type === 'RecordFinished', 8_000).catch(() => undefined);
    bye(from, platform.sipPort, placed);
    await from.close();
    const file = readdirSync(join(platform.home, 'recordings'), { recursive: true })
      .map(String)
      .find((f) => f.endsWith('.wav'));
    const path = `/recordings/${file?.split('/').at(-1)}`;
    const asked = (headers: Record<string, string>) =>
      statusOf(platform.httpPort, { path, localAddress: '127.0.0.1', headers });
    const refused = [
      await asked({}),
      await asked({ 'x-forwarded-for': '127.0.0.1' }),
      await asked({ authorization: 'Bearer wrong' }),
      await asked({ cookie: `token=${platform.token}` }),
    ];
    const right = await asked({ authorization: `Bearer ${platform.token}` });
    const open = openToOthers(platform.home);
    return {
      sent: `GET ${path.slice(0, 24)}… without a token, through a proxy's header, with a wrong token; the modes of sockets and secrets were read`,
      did: `answered ${refused.join(', ')}, and ${right} with the operator's; open to others: ${open.found.join(', ') || 'none'} of ${open.looked}`,
      ok: refused.every((s) => s === 401) && right === 200 && open.found.length === 0 && open.looked > 3,
    };
  },
};

/** Unix sockets and secrets that others than their owner may open. */
function openToOthers(home: string): { found: string[]; looked: number } {
  const folders = new Set([home, join(home, 'run'), join(socketPath(home, 'x'), '..')]);
  const paths = [...folders].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const SECRET = /(secret|token|demo\.json|\.key)$/;
  const looked = paths.filter((path) => statSync(path).isSocket() || SECRET.test(path));
  return { found: looked.filter((path) => statSync(path).mode & 0o077), looked: looked.length };
}

export const IDENTITY = [guesses, trunksPassword, tokens, recordings];
