// The session description that most torture messages carry, for the address that differs.

export function sdp(address: string): string[] {
  return [
    'v=0',
    `o=mhandley 29739 7272939 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 49217 RTP/AVP 0 12',
    'm=video 3227 RTP/AVP 31',
    'a=rtpmap:31 LPC',
  ];
}
