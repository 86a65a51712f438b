/**
 * A process in a network namespace that the test makes: the only ways out are relays over unix sockets, which the test
 * can cut in silence, as a network does. Run as a program, this file is the half inside.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `outward`: ports of 127.0.0.1 that it may reach outside; `inward`: its own, reached from outside by its number. */
type Inside = { folder: string; outward: number[]; inward: number; args: string[] };

export type Namespace = {
  child: ChildProcess;
  /** Nothing passes outward any more, either way; nobody is told. */
  cut(): void;
  /** What waited passes on. */
  mend(): void;
  close(): Promise<void>;
};

const socketOf = (folder: string, port: number) => join(folder, `${port}.sock`);

/** The sockets of some relays, all of them stopped or none. */
function createGate() {
  const sockets = new Set<Socket>();
  let isCut = false;
  function pass(from: Socket, to: Socket): void {
    sockets.add(from);
    from.on('data', (bytes) => to.write(bytes));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    if (isCut) from.pause();
  }
  return {
    join(one: Socket, other: Socket): void {
      pass(one, other);
      pass(other, one);
    },
    set(cut: boolean): void {
      isCut = cut;
      for (const socket of sockets)
        if (cut) socket.pause();
        else socket.resume();
    },
    destroy(): void {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Runs Node with these arguments in a namespace of its own; what it prints goes to `log`. */
export async function runInNamespace(
  of: Inside & { env: Record<string, string | undefined>; log(text: string): void },
): Promise<Namespace> {
  const { folder, outward, inward, args } = of;
  const [out, back] = [createGate(), createGate()];
  const servers: Server[] = [];
  async function relay(where: string | number, accept: (socket: Socket) => void): Promise<void> {
    const server = createServer(accept);
    servers.push(server);
    server.listen(typeof where === 'string' ? { path: where } : { port: where, host: '127.0.0.1' });
    await once(server, 'listening');
  }
  for (const port of outward)
    await relay(socketOf(folder, port), (socket) => out.join(socket, connect(port, '127.0.0.1')));
  await relay(inward, (socket) => back.join(socket, connect(socketOf(folder, inward))));
  const inside: Inside = { folder, outward, inward, args };
  const child = spawn(
    'unshare',
    ['--user', '--map-root-user', '--net', process.execPath, fileURLToPath(import.meta.url), JSON.stringify(inside)],
    { env: of.env as NodeJS.ProcessEnv, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => of.log(String(text)));
  return {
    child,
    cut: () => out.set(true),
    mend: () => out.set(false),
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      out.destroy();
      back.destroy();
      for (const server of servers) server.close();
    },
  };
}

/** The half inside: loopback up, a relay for each way, and the program. */
async function runInside({ folder, outward, inward, args }: Inside): Promise<void> {
  await once(spawn('ip', ['link', 'set', 'lo', 'up'], { stdio: 'inherit' }), 'exit');
  const gate = createGate();
  for (const port of outward)
    createServer((near) => gate.join(near, connect(socketOf(folder, port)))).listen(port, '127.0.0.1');
  createServer((far) => gate.join(far, connect(inward, '127.0.0.1'))).listen(socketOf(folder, inward));
  const program = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => program.kill(signal));
  program.on('exit', (code) => process.exit(code ?? 1));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runInside(JSON.parse(process.argv[2]!) as Inside);
