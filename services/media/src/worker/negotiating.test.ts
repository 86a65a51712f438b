// Sessions and the lines of their descriptions over their life, and packets of another length on a socket.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { after, describe, it } from 'node:test';
import type { Fact, Observed } from '@opentact/proto/events';
import { parseAllowList } from '@opentact/runtime';
import { clipOf } from '../audio/clip.ts';
import { emptyHeader, readHeader } from '../rtp/packet.ts';
import { parseSdp } from '../sdp/parse.ts';
import { PortPool } from '../session/port-pool.ts';
import { MediaSessions } from './media-sessions.ts';
import type { WorkerAsk } from './messages.ts';

const facts: Observed[] = [];
const board = new MediaSessions({
  ...{ bind: '127.0.0.1', advertise: '127.0.0.1', recordings: tmpdir(), silentMs: 60_000, legsMax: () => 9 },
  ports: new PortPool(23_100, 23_139),
  allowed: parseAllowList('127.0.0.1'),
  report: (_, fact) => facts.push(fact),
});
after(() => board.shut());

let seq = 0;
async function ask(wish: Extract<Fact, { type: WorkerAsk['type'] }>): Promise<number> {
  await board.ask({ ...wish, callId: 'c', seq: ++seq, at: 0 } as WorkerAsk);
  return seq;
}

/** The description that the last fact brought, and its media as `kind port`, ours as a star. */
function described(): { sdp: string; media: string[] } {
  const fact = facts.pop();
  assert.ok(fact && 'sdp' in fact && fact.sdp, JSON.stringify(fact));
  const { media } = parseSdp(fact.sdp)!;
  return { sdp: fact.sdp, media: media.map(({ kind, port }) => `${kind} ${port > 0 ? '*' : 0}`) };
}

const offer = (...lines: string[]) =>
  ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines, ''].join('\r\n');
const VIDEO_FIRST = offer('m=video 9 RTP/AVP 96', 'm=audio 4000 RTP/AVP 8 97', 'a=rtpmap:97 telephone-event/8000');

describe('the lines of a description', () => {
  it('stay in every offer of ours, be it asked for by the peer or sent from another session', async () => {
    await ask({ type: 'SessionRequested', leg: 0, offer: VIDEO_FIRST, sdpId: 7, sdpVersion: 1 });
    const { sdp: ours, media } = described();
    assert.deepEqual(media, ['video 0', 'audio *']);
    await ask({ type: 'SessionChangeRequested', leg: 0, sdp: '', isOffer: true, sdpVersion: 2 });
    const again = described();
    assert.deepEqual(again.media, ['video 0', 'audio *']);
    assert.match(again.sdp, /^m=audio \d+ RTP\/AVP 8 0 97\r$/m);
    await ask({ type: 'SessionRequested', leg: 1, offer: '', sdpId: 7, sdpVersion: 3, described: ours });
    const moved = described();
    assert.deepEqual(moved.media, ['video 0', 'audio *']);
    assert.match(moved.sdp, /^m=audio \d+ RTP\/AVP 8 0 97\r$/m);
    assert.match(moved.sdp, /^o=opentact 7 3 /m);
  });
  it('grow with an offer of the peer, and a refused one changes nothing', async () => {
    await ask({ type: 'SessionRequested', leg: 2, offer: VIDEO_FIRST, sdpId: 7, sdpVersion: 1 });
    described();
    const bad = offer('m=audio 4000 RTP/AVP 18', 'm=text 9 RTP/AVP 98');
    await ask({ type: 'SessionChangeRequested', leg: 2, sdp: bad, isOffer: true, sdpVersion: 2 });
    assert.equal(facts.pop()?.type, 'SessionChangeFailed');
    const more = `${VIDEO_FIRST}m=text 9 RTP/AVP 98\r\n`;
    await ask({ type: 'SessionChangeRequested', leg: 2, sdp: more, isOffer: true, sdpVersion: 3 });
    assert.deepEqual(described().media, ['video 0', 'audio *', 'text 0']);
    await ask({ type: 'SessionChangeRequested', leg: 2, sdp: '', isOffer: true, sdpVersion: 4 });
    assert.deepEqual(described().media, ['video 0', 'audio *', 'text 0']);
  });
  it('are one, of audio, where nothing was described before', async () => {
    await ask({ type: 'SessionRequested', leg: 3, offer: '', sdpId: 7, sdpVersion: 1, described: 'no description' });
    assert.deepEqual(described().media, ['audio *']);
  });
});

describe('maxptime', () => {
  it('is what packets on the wire hold', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
    const lengths = new Set<number>();
    const header = emptyHeader();
    socket.on('message', (packet) => readHeader(packet, header) && lengths.add(packet.length - 12));
    const sdp = offer(`m=audio ${socket.address().port} RTP/AVP 0`, 'a=maxptime:10');
    await ask({ type: 'SessionRequested', leg: 4, offer: sdp, sdpId: 7, sdpVersion: 1 });
    assert.match(described().sdp, /^a=ptime:10\r$/m);
    const items = [{ kind: 'silenceMs' as const, value: 200 }];
    const play = await ask({ type: 'PlayRequested', leg: 4, items, loop: 1 });
    await board.piece('c', 4, play, 0, { kind: 'clip', clip: clipOf(new Int16Array(1600).fill(900)) });
    await new Promise((later) => setTimeout(later, 200));
    socket.close();
    assert.deepEqual([...lengths], [80]);
  });
});
