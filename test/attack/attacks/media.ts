/** Items 12 and 13: media that an SDP has sent to somebody else, and RTP of strangers. */
import type { Arena } from '../arena.ts';
import type { Attack } from '../attack.ts';
import {
  audioPacket,
  bye,
  call,
  type Datagrams,
  keyPackets,
  offer,
  openDatagrams,
  type Placed,
  request,
  sleep,
} from '../sip.ts';

const CALLER = '127.0.0.71';
const VICTIM = '127.0.0.68';
const STRANGER = '127.0.0.69';
const SPEECH = `<Say>${'Nobody has ever asked for this. '.repeat(12)}</Say>`;

/** Ways to have the platform speak to what an SDP names, each a call of the attacker's. */
async function spokenTo(arena: Arena, from: Datagrams, sdp: string): Promise<Placed[]> {
  const { sipPort, demoPort, control } = arena.platform;
  const early = (await control.stage(`<Response>${SPEECH}<Answer/>${SPEECH}</Response>`, false)).user;
  from.send(request(from, { uri: `sip:${early}@127.0.0.1:${sipPort}`, sdp }), sipPort);
  arena.evil.on('/flow', `<Response>${SPEECH}</Response>`);
  const silent = await call(from, sipPort, arena.evilNumber, sdp, { acknowledge: false });
  const acknowledged = await call(from, sipPort, arena.evilNumber, sdp);
  arena.evil.on('/flow', `<Response><Dial><Sip>callee@127.0.0.1:${demoPort}</Sip></Dial></Response>`);
  const bridged = await call(from, sipPort, arena.evilNumber, sdp);
  return [silent, acknowledged, bridged];
}

const elsewhere: Attack = {
  item: '12.1',
  name: 'an SDP that names an address which never spoke: before the answer, not acknowledged, acknowledged, bridged',
  short: true,
  async run(arena) {
    const [from, rtp] = await Promise.all([openDatagrams(CALLER), openDatagrams(VICTIM)]);
    const rtcp = await openDatagrams(VICTIM, rtp.port + 1);
    const own = await openDatagrams(CALLER);
    const calls = await spokenTo(arena, from, offer(rtp.address, rtp.port));
    // The same call with its own address: that the platform speaks at all.
    arena.evil.on('/flow', `<Response>${SPEECH}</Response>`);
    calls.push(await call(from, arena.platform.sipPort, arena.evilNumber, offer(own.address, own.port)));
    await sleep(5_000);
    const answers = JSON.stringify(calls.map(({ status }) => status));
    for (const placed of calls) bye(from, arena.platform.sipPort, placed);
    await sleep(300);
    const early = from.heard.some((b) => b.toString('latin1', 0, 11) === 'SIP/2.0 183');
    const bytes = rtp.counts.heardBytes + rtcp.counts.heardBytes;
    await Promise.all([from, rtp, rtcp, own].map((socket) => socket.close()));
    return {
      sent: `four INVITEs from ${CALLER} whose SDP names ${VICTIM}, one with its own address; ${early ? '183' : 'no 183'}, ${answers}`,
      did: `${bytes} bytes of RTP and RTCP arrived at ${VICTIM}; ${own.counts.heardBytes} at the caller's own address`,
      ok: bytes === 0 && early && own.counts.heardBytes > 10_000 && calls.every(({ status }) => status === 200),
    };
  },
};

const strangersRtp: Attack = {
  item: '13.1',
  name: 'RTP and keys of a stranger, while the right phone is silent behind its NAT',
  async run(arena) {
    const [from, phone] = await Promise.all([openDatagrams(CALLER), openDatagrams(CALLER)]);
    const stranger = await openDatagrams(STRANGER);
    const { sipPort } = arena.platform;
    arena.evil.on('/flow', `<Response><Gather numDigits="9" timeout="60000">${SPEECH}</Gather></Response>`);
    const placed = await call(from, sipPort, arena.evilNumber, offer('10.99.99.99', 40_000));
    for (let n = 0; n < 150; n++) {
      stranger.send(audioPacket(n, 0xbad), placed.rtpPort);
      if (n === 100) for (const packet of keyPackets(500, 80_000, 6)) stranger.send(packet, placed.rtpPort);
      await sleep(20);
    }
    const before = await arena.platform.story(placed.platformCallId);
    for (let n = 0; n < 75; n++) {
      phone.send(audioPacket(n, 0x900d), placed.rtpPort);
      stranger.send(audioPacket(150 + n, 0xbad), placed.rtpPort);
      if (n === 60) for (const packet of keyPackets(500, 80_000, 5)) phone.send(packet, placed.rtpPort);
      await sleep(20);
    }
    await sleep(300);
    const story = await arena.platform.story(placed.platformCallId);
    const digits = story.flatMap((e) => (e.type === 'DigitPressed' ? [e.digit] : []));
    bye(from, sipPort, placed);
    await sleep(200);
    const [got, stolen] = [phone.counts.heardBytes, stranger.counts.heardBytes];
    await Promise.all([from, phone, stranger].map((socket) => socket.close()));
    const early = before.some((e) => e.type === 'DigitPressed');
    return {
      sent: `a call whose SDP names a private address; RTP and the key 6 from ${STRANGER}, 3 s later RTP and the key 5 from the caller's address`,
      did: `the stranger got ${stolen} bytes, the caller ${got}; keys that counted: ${digits.join(' ') || 'none'}`,
      ok: placed.status === 200 && stolen === 0 && got > 4_000 && !early && digits.join('') === '5',
    };
  },
};

export const MEDIA = [elsewhere, strangersRtp];
