/** The SIP text of the load caller: what it writes and the few headers it reads. No parser: it reads what we wrote. */

export type Dialled = {
  id: number;
  sipCallId: string;
  uri: string;
  user: string;
  address: string;
  sipPort: number;
  rtpPort: number;
  tag: string;
  branch: string;
  /** From the 200. */
  to: string;
  target: string;
};

const line = (text: string, name: string): string => {
  const start = text.indexOf(`\r\n${name}: `);
  return start < 0 ? '' : text.slice(start + name.length + 4, text.indexOf('\r\n', start + 2));
};

export type Heard = {
  /** 0: a request. */
  status: number;
  method: string;
  sipCallId: string;
  to: string;
  target: string;
  /** 0: no description. */
  rtpPort: number;
};

export function read(text: string): Heard {
  const isResponse = text.startsWith('SIP/2.0 ');
  const cseq = line(text, 'CSeq');
  const contact = line(text, 'Contact');
  const audio = text.indexOf('\r\nm=audio ');
  return {
    status: isResponse ? Number(text.slice(8, 11)) : 0,
    method: cseq.slice(cseq.indexOf(' ') + 1),
    sipCallId: line(text, 'Call-ID'),
    to: line(text, 'To'),
    target: contact.slice(contact.indexOf('<') + 1, contact.indexOf('>')),
    rtpPort: audio < 0 ? 0 : Number.parseInt(text.slice(audio + 10, audio + 16), 10),
  };
}

const offer = ({ id, address, rtpPort }: Dialled) =>
  `v=0\r\no=load ${id} 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio ${rtpPort} RTP/AVP 0 101\r\n` +
  'a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n';

function request(call: Dialled, method: string, uri: string, branch: string, cseq: number, to: string, sdp = '') {
  const { address, sipPort, user } = call;
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${address}:${sipPort};branch=${branch};rport\r\nMax-Forwards: 70\r\n` +
    `From: <sip:${user}@${address}:${sipPort}>;tag=${call.tag}\r\nTo: ${to}\r\nCall-ID: ${call.sipCallId}\r\n` +
    `CSeq: ${cseq} ${method}\r\nContact: <sip:${user}@${address}:${sipPort}>\r\n` +
    `${sdp && 'Content-Type: application/sdp\r\n'}Content-Length: ${sdp.length}\r\n\r\n${sdp}`
  );
}

export const invite = (call: Dialled) =>
  request(call, 'INVITE', call.uri, call.branch, 1, `<${call.uri}>`, offer(call));
export const acknowledge = (call: Dialled) => request(call, 'ACK', call.target, `${call.branch}a`, 1, call.to);
export const acknowledgeRefusal = (call: Dialled, to: string) => request(call, 'ACK', call.uri, call.branch, 1, to);
export const bye = (call: Dialled) => request(call, 'BYE', call.target, `${call.branch}b`, 2, call.to);

/** 200 to a request within a call. */
export function confirm(text: string): string {
  const kept = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${line(text, name)}\r\n`);
  return `SIP/2.0 200 OK\r\n${kept.join('')}Content-Length: 0\r\n\r\n`;
}
