/**
 * What comes over the wire from anybody, by chance: real SIP messages, descriptions and packets with some of it changed.
 * Whatever they are, they are read or refused: nothing throws, and nothing takes long.
 */

import { PCMU } from '../../../services/media/src/codec/g711/g711.ts';
import { emptyHeader, readHeader } from '../../../services/media/src/rtp/packet.ts';
import { isRtcp, readReport, writeSenderReport } from '../../../services/media/src/rtp/rtcp.ts';
import { composeAnswer, composeOffer } from '../../../services/media/src/sdp/compose.ts';
import { negotiate } from '../../../services/media/src/sdp/negotiate.ts';
import { RtpReceiver } from '../../../services/media/src/session/rtp-receiver.ts';
import { ABILITIES } from '../../../services/sip-edge/src/methods.ts';
import { dialogOfCallee } from '../../../services/sip-edge/src/stack/dialog/dialog.ts';
import { sdpOf } from '../../../services/sip-edge/src/stack/message/bodies.ts';
import { parseChallenge } from '../../../services/sip-edge/src/stack/message/digest.ts';
import { GrammarFault } from '../../../services/sip-edge/src/stack/message/grammar.ts';
import { inspect } from '../../../services/sip-edge/src/stack/message/inspect.ts';
import { parseMessage } from '../../../services/sip-edge/src/stack/message/parse.ts';
import { TORTURE } from '../../../services/sip-edge/src/stack/testing/rfc4475/messages.ts';
import { EMPTY_FRAME, frame } from '../../../services/sip-edge/src/stack/transport/framing.ts';
import { keyPackets } from '../../attack/sip.ts';
import type { Random } from '../random-document.ts';

/** One kind of input: how one is made, and what is done with it. `take` throws where a promise is broken. */
export type WireTarget = { name: string; make(random: Random): Buffer; take(bytes: Buffer): void };

const BYTES_MAX = 65_536;
const SIP_PIECES = [
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ';',
    ',',
    ':',
    '<',
    '>',
    '"',
    '\\',
    '@',
    '=',
    '%',
    '%00',
    '\0',
    '\xff',
    '(',
    ')',
  ],
  ...[
    'SIP/2.0',
    'Via: SIP/2.0/UDP a',
    ';branch=z9hG4bK',
    ';tag=',
    'Content-Length: ',
    'CSeq: 1 INVITE',
    'sip:',
    'tel:+1',
    '99999999999999999999',
  ],
  ...[
    'Contact: *',
    'Authorization: Digest realm="',
    'multipart/mixed;boundary=x\r\n\r\n--x\r\n',
    '--x--',
    ';handling=optional',
    ';lr',
    '[::1]',
  ],
];
const SDP_PIECES = [
  ...[
    '\r\n',
    '\n',
    ' ',
    '/',
    ':',
    '=',
    'm=',
    'c=IN IP4 ',
    'a=rtpmap:',
    'a=',
    'v=0',
    '65536',
    '-1',
    '127.0.0.1',
    'telephone-event/8000',
  ],
  ...[
    'm=video 0 RTP/AVP 31',
    'm=audio 4000 RTP/AVP 0',
    'a=sendonly',
    'a=ptime:',
    'a=maxptime:',
    't=0 0',
    '\0',
    '\xff',
    'IN IP6 ::1',
  ],
];

const OFFERS = [
  'v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n',
  'v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=video 5000 RTP/AVP 96\r\nc=IN IP4 192.0.2.1\r\na=rtpmap:96 H264/90000\r\nm=audio 4000 RTP/AVP 9 8\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\na=maxptime:40\r\n',
];
const SIP = Object.values(TORTURE).map((text) => Buffer.from(text, 'latin1'));
const SDP = OFFERS.map((text) => Buffer.from(text, 'latin1'));
const RTP = [...keyPackets(7, 1_600, 5), Buffer.from(`80000001${'00'.repeat(8)}${'ff'.repeat(160)}`, 'hex')];
const report = Buffer.alloc(80);
const heard = { ssrc: 7, fractionLost: 1, lost: 2, highestSequence: 3, jitter: 4 };
const RTCP = [Buffer.from(report.subarray(0, writeSenderReport(report, 7, 1_000, 160, 10, 1_600, heard)))];

/** Some of it lost, doubled, replaced, repeated or put together with another. */
function mutated(random: Random, all: readonly Buffer[], pieces: readonly string[]): Buffer {
  let bytes = random.of(all);
  for (let n = random.below(6); n > 0; n--) {
    const at = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, at + random.below(60));
    bytes = once(random, bytes, at, to, all, pieces).subarray(0, BYTES_MAX);
  }
  return Buffer.from(bytes);
}

function once(
  random: Random,
  bytes: Buffer,
  at: number,
  to: number,
  all: readonly Buffer[],
  pieces: readonly string[],
): Buffer {
  const piece = pieces.length > 0 ? Buffer.from(random.of(pieces), 'latin1') : Buffer.from([random.below(256)]);
  const put = (middle: Buffer, from = at) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(from)]);
  switch (random.below(7)) {
    case 0:
      return put(Buffer.alloc(0), to);
    case 1:
      return put(bytes.subarray(at, to));
    case 2:
      return put(piece);
    case 3:
      return put(piece, to);
    case 4:
      return put(Buffer.from([random.below(256)]), at + 1);
    case 5:
      return random.chance(0.1)
        ? put(Buffer.concat(Array.from({ length: random.below(2_000) }, () => piece)))
        : put(piece);
    default:
      return put(random.of(all).subarray(random.below(40)), to);
  }
}

function takeSip(bytes: Buffer): void {
  const half = bytes.length >> 1;
  const first = frame(EMPTY_FRAME, bytes.subarray(0, half));
  if (!first.fault) frame(first.state, bytes.subarray(half));
  const message = parseMessage(bytes);
  if (message.kind === 'fault') return;
  sdpOf(message);
  for (const value of ['www-authenticate', 'proxy-authenticate'].map((name) => message.headers.get(name)))
    if (value) parseChallenge(value);
  if (message.kind !== 'request') return;
  inspect(message, ABILITIES);
  try {
    dialogOfCallee(message, 'tag');
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
  }
}

const ours = { id: 1, version: 1, address: '127.0.0.1', port: 4000 };

function takeSdp(bytes: Buffer): void {
  const answer = negotiate(bytes.toString('utf8'));
  if (answer.ok) composeOffer(ours, PCMU, composeAnswer(ours, answer));
}

const accepted = negotiate(OFFERS[0]!);
if (!accepted.ok) throw new Error('the plain offer is not taken');

/** A leg's ears, which hear one packet after the other as long as the run lasts. */
const receiver = new RtpReceiver(() => {});
receiver.agree(accepted.media);
receiver.listen(true);
const header = emptyHeader();
let nowMs = 0;

function takeRtp(bytes: Buffer): void {
  nowMs += 20;
  if (readHeader(bytes, header) && receiver.knows(header.payloadType)) receiver.packet(bytes, header, nowMs);
  receiver.tick(nowMs, 1, undefined);
}

function takeRtcp(bytes: Buffer): void {
  if (isRtcp(bytes)) readReport(bytes);
  readReport(bytes);
}

export const WIRE: WireTarget[] = [
  { name: 'sip', make: (random) => mutated(random, SIP, SIP_PIECES), take: takeSip },
  { name: 'sdp', make: (random) => mutated(random, SDP, SDP_PIECES), take: takeSdp },
  { name: 'rtp', make: (random) => mutated(random, RTP, []), take: takeRtp },
  { name: 'rtcp', make: (random) => mutated(random, RTCP, []), take: takeRtcp },
];
