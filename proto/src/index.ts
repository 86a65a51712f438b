/** What the services share: the generated messages, the flat union, the wire form, the names on the wire. */
export * as CallV1 from '../gen/opentact/call/v1/call_control.ts';
export { PartitionTaken } from '../gen/opentact/call/v1/events.ts';
export * as DirectoryV1 from '../gen/opentact/directory/v1/directory.ts';
export * as EngineV1 from '../gen/opentact/engine/v1/peer.ts';
export * as LinkV1 from '../gen/opentact/link/v1/link.ts';
export * as SipEdgeV1 from '../gen/opentact/sip_edge/v1/peer.ts';
export * from './events.ts';
export * from './identity.ts';
export * from './story-file.ts';
export * from './story-line.ts';
export * from './versions.ts';
export * from './wire.ts';
