// The far end of a message as the layers above see it: somewhere to put bytes, and how far it can be trusted to arrive.

import { hostPort } from '@opentact/runtime';

/** `udp` may lose, repeat and reorder; `tcp` is what RFC 3261 calls reliable. */
export type TransportName = 'udp' | 'tcp';

export interface Peer {
  readonly transport: TransportName;
  /** Numeric address and port. */
  readonly address: string;
  readonly port: number;
  /** False where it is known that nothing can be sent any more: a connection that was closed. */
  readonly open?: boolean | undefined;
  /** Hands bytes to the wire. `failed` is called later where the transport knows they did not arrive; never throws. */
  send(bytes: Buffer, failed: (error: Error) => void): void;
}

/** What came with a message: who sent it and how to reach them on the same way. */
export type Arrival = {
  readonly peer: Peer;
  readonly source: { readonly address: string; readonly port: number };
  /** Another edge received it and handed it on, since its leg is here. */
  readonly forwarded?: boolean;
  /** Nobody else is to be asked about it any more. */
  readonly settled?: boolean;
};

/** `ip:port`, with brackets around an IPv6 address. */
export function formatAddress({ address, port }: Pick<Peer, 'address' | 'port'>): string {
  return hostPort(address, port);
}
