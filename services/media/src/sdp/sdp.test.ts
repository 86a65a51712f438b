import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
  it("an offer's first law and its own payload type for events are taken", () => {
    const offer = accepted(phone());
    assert.equal(offer.agreement.law, 'PCMA');
    assert.equal(offer.agreement.eventPayloadType, 96);
    assert.equal(offer.agreement.address, '198.51.100.9');
    assert.equal(offer.agreement.port, 4000);
    const answer = composeAnswer(ours, offer);
    assert.match(answer, /^o=opentact 77 1 IN IP4 192\.0\.2\.1\r$/m);
    assert.match(answer, /^m=audio 10000 RTP\/AVP 8 96\r$/m);
    assert.match(answer, /^a=rtpmap:96 telephone-event\/8000\r$/m);
    assert.match(answer, /^a=ptime:20\r$/m);
    assert.match(answer, /^a=sendrecv\r$/m);
  });
  it('the law in use stays in use where the new offer has it', () => {
    const result = negotiate(phone(), 'PCMU');
    assert.ok(result.ok && result.agreement.law === 'PCMU');
  });
  it('our own offer is answered by ourselves', () => {
    const offer = composeOffer(ours, 'PCMA');
    const answer = composeAnswer({ ...ours, port: 10_002 }, accepted(offer));
    const agreed = accepted(answer).agreement;
    assert.deepEqual([agreed.law, agreed.port, agreed.eventPayloadType], ['PCMA', 10_002, 101]);
  });
  it('the three ways to hold are understood, and answered in kind', () => {
    for (const [sdp, direction] of [
      [phone('a=sendonly'), 'recvonly'],
      [phone('a=inactive'), 'inactive'],
      [phone('c=IN IP4 0.0.0.0'), 'recvonly'],
      [phone('a=recvonly'), 'sendonly'],
    ] as const) {
      const offer = accepted(sdp);
      assert.equal(offer.agreement.direction, direction);
      assert.equal(offer.agreement.held, direction !== 'sendonly');
      assert.match(composeAnswer(ours, offer), new RegExp(`^a=${direction}\r$`, 'm'));
    }
  });
  it('a direction above the media holds for all of them', () => {
    assert.equal(accepted(offerOf('a=sendonly', 'm=audio 4000 RTP/AVP 0')).agreement.direction, 'recvonly');
  });
  it('video is refused with port 0, in its place', () => {
    const offer = accepted(offerOf('m=video 5000 RTP/AVP 31', 'm=audio 4000 RTP/AVP 0', 'm=image 6000 udptl t38'));
    assert.deepEqual(
      parseSdp(composeAnswer(ours, offer))!.media.map(({ kind, port }) => `${kind} ${port}`),
      ['video 0', 'audio 10000', 'image 0'],
    );
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
    assert.equal(offer.agreement.eventPayloadType, -1);
    assert.doesNotMatch(composeAnswer(ours, offer), /telephone-event/);
  });
  it('a dynamic payload type for a law and bare line feeds are fine', () => {
    const offer = accepted(offerOf('m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 pcmu/8000/1').replaceAll('\r\n', '\n'));
    assert.equal(offer.agreement.payloadType, 97);
  });
  it('RTCP goes where the peer said', () => {
    assert.equal(accepted(phone()).agreement.rtcpPort, 4001);
    assert.equal(accepted(phone('a=rtcp:4711')).agreement.rtcpPort, 4711);
    assert.equal(accepted(phone('a=rtcp:99999')).agreement.rtcpPort, 4001);
    assert.equal(accepted(phone().replace('4000', '65535')).agreement.rtcpPort, 65_535);
  });
});
