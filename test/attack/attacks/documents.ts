/** Items 1 and 2: documents that take long, and calls that write without bound. */
import type { Arena } from '../arena.ts';
import type { Attack } from '../attack.ts';
import { call, keyPackets, offer, openDatagrams, request, sleep } from '../sip.ts';

/** Documents of 64 KiB that a careless reader goes back over. */
const SLOW: Array<(chars: number) => string> = [
  (n) => `<a></${' '.repeat(n)}`,
  (n) => `<Response><Say>${'&'.repeat(n)}</Say></Response>`,
  (n) => `<Response ${'a '.repeat(n / 2)}/>`,
  (n) => `<${'A'.repeat(n)}/>`,
  (n) => `<!--${'-'.repeat(n)}`,
  (n) => `<Response>${'<a b="'.repeat(n / 6)}`,
];
const CHARS = 64 * 1024 - 64;

/** How many events each call wrote, and what it ended with. */
async function stories(arena: Arena, ids: string[]): Promise<Array<{ events: number; end: string }>> {
  return Promise.all(
    ids.map(async (id) => {
      const story = await arena.platform.story(id).catch(() => []);
      // Chosen is chosen: an attacker doesn't answer our BYE, so the end itself comes 32 s later.
      const end = story.find((e) => e.type === 'HangupRequested' || e.type === 'CallEnded');
      const isOver = end?.type === 'HangupRequested' || end?.type === 'CallEnded';
      return { events: story.length, end: isOver ? `${end.owner}: ${end.reason}` : 'live' };
    }),
  );
}

/** Waits until each of the calls has ended. Their stories are long, and are read once each. */
async function endsOf(arena: Arena, ids: string[], ms: number): ReturnType<typeof stories> {
  const ended: Awaited<ReturnType<typeof stories>> = [];
  for (const end = Date.now() + ms; ended.length < ids.length; ) {
    const [next] = await stories(arena, [ids[ended.length]!]);
    if (next!.end !== 'live' || Date.now() > end) ended.push(next!);
    else await sleep(500);
  }
  return ended;
}

const slowDocuments: Attack = {
  item: '1.1',
  name: 'documents that a careless reader goes back over',
  short: true,
  async run(arena) {
    const from = await openDatagrams();
    let asked = 0;
    arena.evil.on('/flow', (response) => {
      response.writeHead(200, { 'content-type': 'application/xml' }).end(SLOW[asked++ % SLOW.length]!(CHARS));
    });
    const started = Date.now();
    const sdp = offer(from.address, 40_000);
    const ids: string[] = [];
    // Two a second: the documents are the attack, not what it costs to set up a call.
    for (let n = 0; n < 12; n++) {
      const { platformCallId } = await call(from, arena.platform.sipPort, arena.evilNumber, sdp);
      if (platformCallId) ids.push(platformCallId);
      await sleep(500);
    }
    const ended = await endsOf(arena, ids, 5_000);
    await from.close();
    const over = ended.filter((s) => s.end.startsWith('customer-server')).length;
    return {
      sent: `12 calls, each given one of ${SLOW.length} documents of 64 KiB; ${asked} were fetched`,
      did: `${over} of ${ids.length} calls ended for their document, ${Date.now() - started} ms in all`,
      ok: asked >= SLOW.length && ids.length > 0 && over === ids.length,
    };
  },
};

const endlessVerbs: Attack = {
  item: '2.1',
  name: 'a document of 1,990 verbs that take no time, and redirects to itself',
  short: true,
  async run(arena) {
    const from = await openDatagrams();
    const metas = (count: number) =>
      Array.from({ length: count }, (_, n) => `<Meta name="m${n}" value="${n}"/>`).join('');
    const many = `<Response>${metas(1_990)}<Redirect>${arena.evil.url}/flow</Redirect></Response>`;
    const fewer = `<Response>${metas(120)}<Redirect>${arena.evil.url}/fewer</Redirect></Response>`;
    arena.evil.on('/flow', many);
    const first = await call(from, arena.platform.sipPort, arena.evilNumber, offer(from.address, 40_000));
    await sleep(1_500);
    arena.evil.on('/flow', fewer);
    arena.evil.on('/fewer', fewer);
    const second = await call(from, arena.platform.sipPort, arena.evilNumber, offer(from.address, 40_000));
    const ended = await endsOf(arena, [first.platformCallId], 15_000);
    await sleep(10_000);
    const [looping] = await stories(arena, [second.platformCallId]);
    from.send(
      request(from, { method: 'BYE', uri: second.target, callId: second.callId, to: second.to, cseq: 2 }),
      arena.platform.sipPort,
    );
    await sleep(300);
    await from.close();
    const said = [...ended, looping!].map((s) => `${s.events} events, ${s.end}`).join('; ');
    return {
      sent: 'one call with 1,990 <Meta> in a row, one with 120 and a Redirect for ever, for 10 s',
      did: said,
      ok: ended[0]!.end === 'document: budget' && looping!.events > 300 && looping!.events < 1_500,
    };
  },
};

const keys: Attack = {
  item: '2.2',
  name: '1,000 keys a second by RTP',
  short: true,
  async run(arena) {
    const [from, rtp] = await Promise.all([openDatagrams(), openDatagrams()]);
    arena.evil.on('/flow', '<Response><Pause length="30000"/></Response>');
    const placed = await call(from, arena.platform.sipPort, arena.evilNumber, offer(rtp.address, rtp.port));
    const began = Date.now();
    for (let n = 0; Date.now() - began < 5_000; n++) {
      for (const packet of keyPackets(n * 4, n * 1_600, n % 10)) rtp.send(packet, placed.rtpPort);
      if (n % 5 === 0) await sleep(5);
    }
    await sleep(500);
    const story = await arena.platform.story(placed.platformCallId);
    const pressed = story.filter((e) => e.type === 'DigitPressed').length;
    from.send(
      request(from, { method: 'BYE', uri: placed.target, callId: placed.callId, to: placed.to, cseq: 2 }),
      arena.platform.sipPort,
    );
    await sleep(300);
    await Promise.all([from.close(), rtp.close()]);
    return {
      sent: `${rtp.counts.sent >> 2} keys in 5 s, each of four packets`,
      did: `${pressed} became events`,
      ok: placed.status === 200 && pressed > 20 && pressed <= 150,
    };
  },
};

const reinvites: Attack = {
  item: '2.3',
  name: 're-INVITEs as fast as they go',
  short: true,
  async run(arena) {
    const from = await openDatagrams();
    arena.evil.on('/flow', '<Response><Pause length="30000"/></Response>');
    const placed = await call(from, arena.platform.sipPort, arena.evilNumber, offer(from.address, 40_000));
    const sdp = `${offer(from.address, 40_000)}${'a=x-padding:0123456789012345678901234567890123456789\r\n'.repeat(20)}`;
    for (let n = 0; n < 600; n++) {
      const of = { uri: placed.target, callId: placed.callId, to: placed.to, cseq: 2 + n, sdp };
      from.send(request(from, of), arena.platform.sipPort);
      await sleep(5);
    }
    await sleep(1_000);
    const story = await arena.platform.story(placed.platformCallId);
    const offers = story.filter((e) => e.type === 'OfferReceived').length;
    from.send(
      request(from, { method: 'BYE', uri: placed.target, callId: placed.callId, to: placed.to, cseq: 999 }),
      arena.platform.sipPort,
    );
    await sleep(300);
    await from.close();
    return {
      sent: `600 re-INVITEs of ${sdp.length} bytes in 3 s`,
      did: `${offers} were offers of the story, ${story.length} events in all`,
      ok: placed.status === 200 && offers >= 1 && offers <= 30,
    };
  },
};

export const DOCUMENTS = [slowDocuments, endlessVerbs, keys, reinvites];
