/** Items 4 and 5: strangers that want memory, connections, an account's calls, or our bytes sent to somebody else. */
import { connect, type Socket } from 'node:net';
import type { Attack } from '../attack.ts';
import { call, offer, openDatagrams, request, sleep } from '../sip.ts';

const nobodysCalls: Attack = {
  item: '4.1',
  name: 'INVITEs of 16 KiB to nobody’s numbers',
  async run(arena) {
    const from = await openDatagrams();
    const padding = `X-Padding: ${'x'.repeat(7_000)}`;
    const before = arena.memoryMiB();
    for (let n = 0; n < 4_000; n++) {
      const uri = `sip:9${String(n).padStart(9, '0')}@127.0.0.1:${arena.platform.sipPort}`;
      from.send(request(from, { uri, lines: [padding, padding] }), arena.platform.sipPort);
      if (n % 8 === 0) await sleep(10);
    }
    await sleep(1_000);
    const grown = arena.memoryMiB() - before;
    const { sent, sentBytes, heard, heardBytes } = from.counts;
    await from.close();
    return {
      sent: `${sent} INVITEs, ${(sentBytes / 1e6).toFixed(0)} MB`,
      did: `${heard} answers, ${((100 * heardBytes) / sentBytes).toFixed(1)} % of those bytes; ${grown} MiB more memory`,
      ok: grown < 100 && heard > 0,
    };
  },
};

const options: Attack = {
  item: '4.2',
  name: 'OPTIONS of 7 KB',
  async run(arena) {
    const from = await openDatagrams();
    const uri = `sip:127.0.0.1:${arena.platform.sipPort}`;
    const before = arena.memoryMiB();
    for (let n = 0; n < 24_000; n++) {
      from.send(
        request(from, { method: 'OPTIONS', uri, lines: [`X-Padding: ${'x'.repeat(6_600)}`] }),
        arena.platform.sipPort,
      );
      if (n % 30 === 0) await sleep(5);
    }
    await sleep(1_000);
    const grown = arena.memoryMiB() - before;
    const { sent, sentBytes, heard } = from.counts;
    await from.close();
    return {
      sent: `${sent} OPTIONS, ${(sentBytes / 1e6).toFixed(0)} MB`,
      did: `${heard} answers; ${grown} MiB more memory`,
      ok: grown < 100,
    };
  },
};

const amplification: Attack = {
  item: '4.3',
  name: 'small requests whose answers go to somebody else',
  async run(arena) {
    const { sipPort } = arena.platform;
    // An admitted call is none of them: it is answered as RFC 3261 says.
    const kinds = {
      'nobody’s number': { uri: `sip:1@127.0.0.1:${sipPort}` },
      OPTIONS: { method: 'OPTIONS', uri: `sip:127.0.0.1:${sipPort}` },
      'no such dialog': { method: 'BYE', uri: `sip:x@127.0.0.1:${sipPort}`, to: '<sip:x@127.0.0.1>;tag=z' },
      'no method of ours': { method: 'PUBLISH', uri: `sip:x@127.0.0.1:${sipPort}` },
    };
    const ratios = await Promise.all(
      Object.values(kinds).map(async (of) => {
        const from = await openDatagrams();
        from.send(request(from, of), sipPort);
        await sleep(8_000);
        await from.close();
        return from.counts.heardBytes / from.counts.sentBytes;
      }),
    );
    const worst = Math.max(...ratios);
    const did = Object.keys(kinds).map((what, n) => `${what} ×${ratios[n]!.toFixed(1)}`);
    return {
      sent: 'one request of each kind, and no answer to what comes',
      did: did.join(', '),
      ok: worst > 0 && worst <= 3,
    };
  },
};

const silentConnections: Attack = {
  item: '5.1',
  name: '4,000 TCP connections that say nothing',
  short: true,
  async run(arena) {
    const sockets: Socket[] = [];
    let open = 0;
    for (let n = 0; n < 4_000; n++) {
      const socket = connect({ port: arena.platform.sipPort, host: '127.0.0.1', localAddress: '127.0.0.66' });
      socket.on('connect', () => open++);
      socket.on('error', () => {});
      socket.on('close', () => open--);
      sockets.push(socket);
      if (n % 100 === 0) await sleep(20);
    }
    await sleep(500);
    const held = open;
    const other = await answeredOverTcp(arena.platform.sipPort, '127.0.0.67');
    for (const socket of sockets) socket.destroy();
    return {
      sent: `${sockets.length} connections from one address`,
      did: `${held} of them were held; an OPTIONS over TCP from another address was ${other ? 'answered' : 'not answered'}`,
      ok: other && held <= 400,
    };
  },
};

/** Does the platform answer an OPTIONS over a new connection from that address within 2 s? */
function answeredOverTcp(port: number, localAddress: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const end = (is: boolean) => {
      socket.destroy();
      done(is);
    };
    socket.on('connect', () =>
      socket.write(
        request({ address: localAddress, port: 5060 }, { method: 'OPTIONS', uri: `sip:127.0.0.1:${port}` }).replace(
          '/UDP',
          '/TCP',
        ),
      ),
    );
    socket.on('data', (bytes) => end(bytes.toString('latin1').startsWith('SIP/2.0 200')));
    socket.on('error', () => end(false));
    setTimeout(() => end(false), 2_000);
  });
}

const unacknowledged: Attack = {
  item: '5.2',
  name: 'INVITEs of one source to an account, never acknowledged',
  async run(arena) {
    const [from, other] = await Promise.all([openDatagrams(), openDatagrams('127.0.0.67')]);
    arena.evil.on('/flow', '<Response><Pause length="30000"/></Response>');
    const uri = `sip:${arena.evilNumber}@127.0.0.1:${arena.platform.sipPort}`;
    for (let n = 0; n < 220; n++) {
      from.send(request(from, { uri, sdp: offer(from.address, 40_000) }), arena.platform.sipPort);
      await sleep(20);
    }
    const placed = await call(other, arena.platform.sipPort, arena.evilNumber, offer(other.address, 40_000));
    other.send(
      request(other, { method: 'BYE', uri: placed.target, callId: placed.callId, to: placed.to, cseq: 2 }),
      arena.platform.sipPort,
    );
    await sleep(300);
    await Promise.all([from.close(), other.close()]);
    return {
      sent: '220 INVITEs from one address in 5 s, no ACK, to an account with room for 20 calls',
      did: `another address that called it got ${placed.status}; the first got ${JSON.stringify(from.answers())}`,
      ok: placed.status === 200,
    };
  },
};

export const FLOODS = [nobodysCalls, options, amplification, silentConnections, unacknowledged];
