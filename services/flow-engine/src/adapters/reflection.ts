/** gRPC reflection, so that a client without our files can list and call what is public, by the names of the .proto files. */
import { fileURLToPath } from 'node:url';
import type { Server } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HEALTH_PROTO } from '@opentact/runtime';

const PROTO = fileURLToPath(new URL('../../../../proto', import.meta.url));

export function addReflection(server: Server): void {
  const files = ['opentact/call/v1/call_control.proto', HEALTH_PROTO];
  const definition = loadSync(files, { includeDirs: [PROTO], keepCase: true });
  const services = ['opentact.call.v1.CallControl', 'grpc.health.v1.Health'];
  new ReflectionService(definition, { services }).addToServer(server);
}
