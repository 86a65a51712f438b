/** gRPC reflection, so that a client without our files can still list and call what is public. */
import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const PROTO = fileURLToPath(new URL('../../../../proto', import.meta.url));

export function addReflection(server: Server): void {
  const definition = loadSync('opentact/call/v1/call_control.proto', { includeDirs: [PROTO] });
  new ReflectionService(definition, { services: ['opentact.call.v1.CallControl'] }).addToServer(server);
}
