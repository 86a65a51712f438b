import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PCMA, PCMU } from '../codec/g711/g711.ts';
import { composeAnswer, composeOffer } from './compose.ts';
import { type Accepted, negotiate } from './negotiate.ts';
import { parseSdp } from './parse.ts';

const ours = { id: 77, version: 1, address: '192.0.2.1', port: 10_000 };
const offerOf = (...lines: string[]) =>
  ['v=0', 'o=alice 1 1 IN IP4 198.51.100.9', 's=-', 'c=IN IP4 198.51.100.9', 't=0 0', ...lines, ''].join('\r\n');
const phone = (...more: string[]) =>
  offerOf('m=audio 4000 RTP/AVP 8 0 96', 'a=rtpmap:96 telephone-event/8000', ...more);

function accepted(sdp: string): Accepted {
  const result = negotiate(sdp);
  assert.ok(result.ok, 'accepted');
  return result;
}

describe('SDP', () => {
  it("an offer's first codec and its own payload type for events are taken", () => {
    const offer = accepted(phone());
    assert.equal(offer.media.codec, PCMA);
    assert.equal(offer.media.eventPayloadType, 96);
    assert.equal(offer.media.address, '198.51.100.9');
    assert.equal(offer.media.port, 4000);
    const answer = composeAnswer(ours, offer);
    assert.match(answer, /^o=opentact 77 1 IN IP4 192\.0\.2\.1\r$/m);
    assert.match(answer, /^m=audio 10000 RTP\/AVP 8 96\r$/m);
    assert.match(answer, /^a=rtpmap:96 telephone-event\/8000\r$/m);
    assert.match(answer, /^a=ptime:20\r$/m);
    assert.match(answer, /^a=sendrecv\r$/m);
  });
  it('the codec in use stays in use where the new offer has it', () => {
    const result = negotiate(phone(), PCMU);
    assert.ok(result.ok && result.media.codec === PCMU);
  });
  it('our own offer is answered by ourselves', () => {
    const offer = composeOffer(ours, PCMA);
    const answer = composeAnswer({ ...ours, port: 10_002 }, accepted(offer));
    const agreed = accepted(answer).media;
    assert.deepEqual([agreed.codec, agreed.port, agreed.eventPayloadType], [PCMA, 10_002, 101]);
  });
  it('the three ways to hold are understood, and answered in kind', () => {
    for (const [sdp, direction] of [
      [phone('a=sendonly'), 'recvonly'],
      [phone('a=inactive'), 'inactive'],
      [phone('c=IN IP4 0.0.0.0'), 'recvonly'],
      [phone('a=recvonly'), 'sendonly'],
    ] as const) {
      const offer = accepted(sdp);
      assert.equal(offer.media.direction, direction);
      assert.equal(offer.media.held, direction !== 'sendonly');
      assert.match(composeAnswer(ours, offer), new RegExp(`^a=${direction}\r$`, 'm'));
    }
  });
  it('a direction above the media holds for all of them', () => {
    assert.equal(accepted(offerOf('a=sendonly', 'm=audio 4000 RTP/AVP 0')).media.direction, 'recvonly');
  });
  it('video is refused with port 0, in its place', () => {
    const offer = accepted(offerOf('m=video 5000 RTP/AVP 31', 'm=audio 4000 RTP/AVP 0', 'm=image 6000 udptl t38'));
    assert.deepEqual(
      parseSdp(composeAnswer(ours, offer))!.media.map(({ kind, port }) => `${kind} ${port}`),
      ['video 0', 'audio 10000', 'image 0'],
    );
  });
  const lines = (sdp: string) => sdp.split('\r\n').filter((line) => line.startsWith('m='));
  it('what is only refused may be as large as it likes', () => {
    const types = Array.from({ length: 45 }, (_, n) => 80 + n);
    const maps = types.flatMap((type) => [
      `a=rtpmap:${type} VP8/90000`,
      `a=rtcp-fb:${type} nack`,
      `a=fmtp:${type} x=y`,
    ]);
    const candidates = Array.from(
      { length: 300 },
      (_, n) => `a=candidate:${n} 1 udp 1 198.51.100.9 ${4000 + n} typ host`,
    );
    for (const video of [
      [`m=video 9 UDP/TLS/RTP/SAVPF ${types.join(' ')}`, ...maps],
      [`m=video 9 UDP/TLS/RTP/SAVPF ${'96 '.repeat(500)}`],
      ['m=application 99999 UDP/DTLS/SCTP webrtc-datachannel'],
      ['m=message - TCP/MSRP *'],
      ['m=video 9 RTP/AVP 96', ...candidates],
      Array.from({ length: 30 }, (_, n) => `m=video ${2 * n + 2} RTP/AVP 96`),
    ]) {
      const sdp = offerOf(...video, 'm=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000');
      const answer = composeAnswer(ours, accepted(sdp));
      assert.equal(lines(answer).length, lines(sdp).length);
      assert.equal(lines(answer).at(-1), 'm=audio 10000 RTP/AVP 0 101');
      for (const line of lines(answer).slice(0, -1)) assert.match(line, /^m=\w+ 0 [\w/]+ \S/);
    }
  });
  it('an audio line with every payload type is read to its end', () => {
    const types = Array.from({ length: 128 }, (_, n) => 127 - n);
    const offer = accepted(offerOf(`m=audio 4000 RTP/AVP ${types.join(' ')}`, 'a=rtpmap:96 telephone-event/8000'));
    assert.deepEqual([offer.media.codec, offer.media.eventPayloadType], [PCMA, 96]);
  });
  it('an offer of ours has as many lines as the session had, in their order, and payload types keep their meaning', () => {
    const theirs = offerOf(
      ...['m=video 5000 RTP/AVP 31', 'm=audio 4000 RTP/AVP 97 8 96', 'a=rtpmap:97 PCMU/8000'],
      ...['a=rtpmap:96 telephone-event/8000', 'm=image 6000 udptl t38'],
    );
    const answer = composeAnswer(ours, accepted(theirs));
    const two = { codecs: [PCMU, PCMA] };
    const offer = composeOffer({ ...ours, version: 2 }, undefined, answer, two);
    assert.deepEqual(lines(offer), ['m=video 0 RTP/AVP 31', 'm=audio 10000 RTP/AVP 97 8 96', 'm=image 0 udptl t38']);
    assert.match(offer, /^a=rtpmap:96 telephone-event\/8000\r$/m);
    assert.deepEqual(lines(composeOffer(ours, PCMU, offer, two)), lines(offer));
    assert.deepEqual(lines(composeOffer(ours, PCMA, '', two)), ['m=audio 10000 RTP/AVP 8 0 101']);
  });
  it('an answer repeats the offer’s time', () => {
    const bounded = phone().replace('t=0 0', 't=2873397496 2873404696');
    assert.match(composeAnswer(ours, accepted(bounded)), /^t=2873397496 2873404696\r$/m);
    assert.match(composeAnswer(ours, accepted(phone().replace('t=0 0', 't=now then'))), /^t=0 0\r$/m);
  });
  it('packets are as long as the peer would like, and no longer than it takes', () => {
    for (const [wanted, packetMs] of [
      [[], 20],
      [['a=ptime:30'], 30],
      [['a=ptime:200'], 20],
      [['a=maxptime:10'], 10],
      [['a=ptime:20', 'a=maxptime:150'], 20],
      [['a=ptime:40', 'a=maxptime:30'], 30],
      [['a=maxptime:5.5'], 5],
      [['a=ptime:x', 'a=maxptime:-1'], 20],
    ] as const) {
      const offer = accepted(phone(...wanted));
      assert.equal(offer.media.packetMs, packetMs, wanted.join());
      assert.match(composeAnswer(ours, offer), new RegExp(`^a=ptime:${packetMs}\r$`, 'm'));
    }
    assert.equal(negotiate(phone('a=maxptime:4')).ok, false);
  });
  it('no common codec is told from a description that is none', () => {
    const reason = (sdp: string) => {
      const result = negotiate(sdp);
      return result.ok ? 'ok' : result.reason;
    };
    assert.equal(reason(offerOf('m=audio 4000 RTP/AVP 18', 'a=rtpmap:18 G729/8000')), 'no-codec');
    assert.equal(reason(offerOf('m=audio 4000 RTP/SAVP 0')), 'no-codec');
    assert.equal(reason(offerOf('m=audio 0 RTP/AVP 0')), 'no-codec');
    assert.equal(reason('INVITE sip:a@b'), 'bad-sdp');
    assert.equal(reason(offerOf('m=audio 70000 RTP/AVP 0')), 'bad-sdp');
    assert.equal(reason(offerOf('c=IN IP4 pbx.example', 'm=audio 4000 RTP/AVP 0')), 'bad-sdp');
    assert.equal(reason(offerOf('c=IN IP4 239.1.2.3', 'm=audio 4000 RTP/AVP 0')), 'bad-sdp');
    assert.equal(negotiate(phone('c=IN IP6 ::1'), undefined, 4).ok, false);
    assert.equal(negotiate(phone('c=IN IP6 ::1'), undefined, 6).ok, true);
    assert.equal(reason(phone('a=x:'.padEnd(20_000, 'y'))), 'bad-sdp');
    assert.equal(reason(''), 'bad-sdp');
  });
  it('no telephone-event in the offer means none in the answer', () => {
    const offer = accepted(offerOf('m=audio 4000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/16000'));
    assert.equal(offer.media.eventPayloadType, -1);
    assert.doesNotMatch(composeAnswer(ours, offer), /telephone-event/);
  });
  it('a dynamic payload type for a codec and bare line feeds are fine', () => {
    const offer = accepted(offerOf('m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 pcmu/8000/1').replaceAll('\r\n', '\n'));
    assert.equal(offer.media.payloadType, 97);
  });
  it('RTCP goes where the peer said', () => {
    assert.equal(accepted(phone()).media.rtcpPort, 4001);
    assert.equal(accepted(phone('a=rtcp:4711')).media.rtcpPort, 4711);
    assert.equal(accepted(phone('a=rtcp:99999')).media.rtcpPort, 4001);
    assert.equal(accepted(phone().replace('4000', '65535')).media.rtcpPort, 65_535);
  });
});
