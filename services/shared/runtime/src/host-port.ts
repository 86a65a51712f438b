/** An address and a port as they are written together: an IPv6 address in brackets (RFC 3986 section 3.2.2). */
export const hostPort = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`;
