/**
 * A platform whose operator has a trunk, and the carrier behind it: a UDP socket that keeps every INVITE and answers as it
 * is told. Its Dial may also reach 127.0.0.67, where a stranger lives who wants the trunk's password.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '@opentact/client';
import { embeddedPostgres } from '@opentact/event-log';
import pg from 'pg';
import { fromElsewhere } from '../kit/elsewhere.ts';
import { type Platform, startPlatform } from '../kit/platform.ts';
import { type Datagrams, header, offer, openDatagrams } from './sip.ts';

const USER = 'user-of-the-trunk';
const PASSWORD = 'a-password-of-the-trunk';
/** Where the stranger lives. */
export const THIEF = '127.0.0.67';

export type Carrier = Datagrams & {
  invites: string[];
  /** What an INVITE is answered, a whole message, or nothing; at first 200 with an SDP. */
  answer: (invite: string) => string | undefined;
};

export type Trunked = Awaited<ReturnType<typeof openTrunked>>;

export async function openTrunked() {
  const carrier = await openCarrier();
  const platform: Platform = await startPlatform({
    OPENTACT_TRUNK: `sip:${USER}:${PASSWORD}@127.0.0.1:${carrier.port}`,
    OPENTACT_DIAL_ALLOW: `127.0.0.1/32,${THIEF}/32`,
    OPENTACT_LOG_LEVEL: 'error',
  });
  const postgres = await embeddedPostgres({ home: platform.home, databases: [] });
  const database = new pg.Client({ connectionString: postgres.url('opentact_api') });
  await database.connect();
  const nobody = createClient({ url: await fromElsewhere(platform.httpPort) });
  const { apiKey } = JSON.parse(readFileSync(join(platform.home, 'demo.json'), 'utf8')) as { apiKey: string };
  let signedUp = 0;
  return {
    platform,
    carrier,
    database,
    user: USER,
    password: PASSWORD,
    databases: [postgres.url('opentact'), postgres.url('opentact_api')],
    /** The account that runs the installation: the trunk serves it. */
    operator: nobody.as({ token: apiKey }),
    /** Somebody who signs up, and whom nobody named for the trunk. */
    async stranger(): Promise<Client> {
      const basic = { email: `stranger-${++signedUp}@example.test`, password: 'correct horse battery' };
      const somebody = createClient({ url: await fromElsewhere(platform.httpPort) });
      await somebody.createUser({ body: basic });
      const { token } = await somebody.as({ basic }).auth();
      return somebody.as({ token });
    },
    async close() {
      await database.end();
      await platform.stop();
      await carrier.close();
    },
  };
}

async function openCarrier(): Promise<Carrier> {
  const socket = await openDatagrams('127.0.0.1');
  const invites: string[] = [];
  const carrier: Carrier = {
    ...socket,
    invites,
    answer: (invite) => responseTo(invite, 200, { contact: socket, sdp: offer(socket.address, socket.port) }),
  };
  socket.on((bytes) => {
    const text = bytes.toString('latin1');
    const answer = answerOf(carrier, text);
    if (answer) socket.send(answer, portOf(text));
  });
  return carrier;
}

function answerOf(carrier: Carrier, text: string): string | undefined {
  if (/^(BYE|CANCEL|OPTIONS) /.test(text)) return responseTo(text, 200);
  if (!text.startsWith('INVITE ')) return undefined;
  carrier.invites.push(text);
  return carrier.answer(text);
}

/** Where answers to a request go: its topmost Via's port. */
export const portOf = (request: string): number => Number(/:(\d+)/.exec(header(request, 'Via'))?.[1] ?? 0);

type More = { contact?: { address: string; port: number }; lines?: string[]; sdp?: string };

/** An answer to a request, with its Vias, dialog and CSeq. */
export function responseTo(request: string, status: number, { contact, lines = [], sdp = '' }: More = {}): string {
  const to = header(request, 'To');
  return [
    `SIP/2.0 ${status} Whatever`,
    ...request.split('\r\n').filter((line) => line.startsWith('Via: ')),
    `From: ${header(request, 'From')}`,
    `To: ${to}${to.includes('tag=') ? '' : ';tag=carrier'}`,
    `Call-ID: ${header(request, 'Call-ID')}`,
    `CSeq: ${header(request, 'CSeq')}`,
    ...(contact ? [`Contact: <sip:carrier@${contact.address}:${contact.port}>`] : []),
    ...lines,
    ...(sdp ? ['Content-Type: application/sdp'] : []),
    `Content-Length: ${Buffer.byteLength(sdp)}`,
    '',
    sdp,
  ].join('\r\n');
}
