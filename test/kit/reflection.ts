/** A gRPC client that has no file of ours: what there is, and how it is asked, it learns by reflection, as grpcurl does. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer, loadSync } from '@grpc/proto-loader';

const OPTIONS = { keepCase: true, longs: Number, enums: String, defaults: true };
type Answer = {
  list_services_response?: { service: Array<{ name: string }> };
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
  error_response?: { error_message: string };
};
type Stream = { write(asked: object): void; end(): void; once(event: string, heard: (it: never) => void): Stream };
type Unary = (asked: object, metadata: Metadata, done: (error: Error | null, answer: never) => void) => void;
/** Asks one method. */
export type Ask = (method: string, request: object) => Promise<Record<string, number | string>>;

const at = (root: GrpcObject, name: string) =>
  name.split('.').reduce<unknown>((inside, part) => (inside as GrpcObject)[part], root) as ServiceClientConstructor;

/** A set of descriptors as bytes: field 1 of its message, once for each file. */
function setOf(files: Buffer[]): Buffer {
  const length = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...length(Math.floor(n / 128))]);
  return Buffer.concat(files.flatMap((file) => [Buffer.from([10, ...length(file.length)]), file]));
}

/** @param address host:port */
export async function openReflection(address: string) {
  // The one file that reflection itself needs; a client brings it along.
  const engine = createRequire(new URL('../../services/flow-engine/src/main.ts', import.meta.url));
  const own = join(
    dirname(engine.resolve('@grpc/reflection/package.json')),
    'build/proto/grpc/reflection/v1/reflection.proto',
  );
  const clients: Array<{ close(): void }> = [];
  const open = (root: GrpcObject, name: string) => {
    const client = new (at(root, name))(address, credentials.createInsecure());
    clients.push(client);
    return client as never as Record<string, unknown>;
  };
  const reflection = open(loadPackageDefinition(loadSync(own, OPTIONS)), 'grpc.reflection.v1.ServerReflection');
  const ask = (what: object): Promise<Answer> =>
    new Promise((done, failed) => {
      const stream = (reflection.ServerReflectionInfo as () => Stream).call(reflection);
      stream.once('data', (answer: Answer) => {
        stream.end();
        if (answer.error_response) failed(new Error(answer.error_response.error_message));
        else done(answer);
      });
      stream.once('error', failed);
      stream.write(what);
    });
  const listed = await ask({ list_services: '' });
  return {
    services: listed.list_services_response!.service.map(({ name }) => name),
    async client(name: string, token?: string): Promise<Ask> {
      const { file_descriptor_response: found } = await ask({ file_containing_symbol: name });
      const root = loadPackageDefinition(loadFileDescriptorSetFromBuffer(setOf(found!.file_descriptor_proto), OPTIONS));
      const client = open(root, name);
      const metadata = new Metadata();
      if (token) metadata.set('authorization', `Bearer ${token}`);
      return (method, request) =>
        new Promise((done, failed) => {
          (client[method] as Unary).call(client, request, metadata, (error, answer) =>
            error ? failed(error) : done(answer),
          );
        });
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}
