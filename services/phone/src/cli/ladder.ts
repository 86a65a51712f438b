/** The ladder of a call's SIP messages, as each edge that had to do with it kept them. */
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

type Traced = { at: number; direction: 'in' | 'out'; peer: string; text: string };

/** The sockets of processes that have an edge. */
const WITH_AN_EDGE = /^(sip-edge|cell)-\d+\.health$/;

/** @param folder of the processes' health sockets. */
export async function ladder(callId: string, folder: string, print: (line: string) => void): Promise<void> {
  const sockets = readdirSync(folder).filter((file) => WITH_AN_EDGE.test(file));
  let isKept = false;
  for (const file of sockets) {
    const messages = await messagesOf(callId, join(folder, file)).catch((error: Error) => {
      print(`the SIP messages of ${join(folder, file)} can't be had: ${error.message}`);
      return [];
    });
    for (const message of messages) rung(message).forEach(print);
    isKept ||= messages.length > 0;
  }
  if (!isKept) print('no edge keeps messages of this call');
}

function rung({ at, direction, peer, text }: Traced): string[] {
  const [line, ...rest] = text.trimEnd().split(/\r?\n/);
  const who = direction === 'in' ? `${peer} ──▶ edge` : `edge ──▶ ${peer}`;
  return [
    `\n${new Date(at).toISOString().slice(11, 23)}  ${who}  ${line}`,
    ...rest.map((header) => `              ${header}`),
  ];
}

function messagesOf(callId: string, socketPath: string): Promise<Traced[]> {
  return new Promise((done, failed) => {
    request({ socketPath, path: `/calls/${callId}/sip` }, (response) => {
      let body = '';
      response.on('data', (d) => (body += d));
      response.on('end', () => done((JSON.parse(body) as { messages?: Traced[] }).messages ?? []));
    })
      .on('error', failed)
      .end();
  });
}
