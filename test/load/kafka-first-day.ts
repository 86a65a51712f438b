/**
 * What a transaction, a fence and a reader cost on a real Kafka, with either client. Run by hand, three minutes:
 * `KAFKA_BROKERS=… node test/load/kafka-first-day.ts`. The figures and the choice are in services/decisions/0008.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { adapter, type Client, createTopic, hang, kafkaJs } from './kafka-clients.ts';

const PARTITIONS = 48;
const SECONDS = 8;
const RATES = [10, 100, 1000];
const TOPIC = `first-day-${Date.now()}`;
const say = (text: string) => process.stdout.write(`${text}\n`);

const at = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
function spread(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${at(sorted, 0.5).toFixed(1)} / ${at(sorted, 0.99).toFixed(1)} ms`;
}

/** CPU of the brokers of this machine since they started, ms. */
function brokersCpuMs(): number {
  const pids = spawnSync('pgrep', ['-f', 'kafka.Kafka ']).stdout.toString().trim().split('\n').filter(Boolean);
  return pids
    .map((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '))
    .reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12])) * 10, 0);
}

async function measureRate(client: Client, rate: number): Promise<void> {
  const took: number[] = [];
  const busy = new Set<number>();
  const running: Promise<void>[] = [];
  let behind = 0;
  const [cpu, brokers, started] = [process.cpuUsage(), brokersCpuMs(), performance.now()];
  for (let n = 0; n < rate * SECONDS; n++) {
    const dueMs = started + (n * 1000) / rate - performance.now();
    if (dueMs > 1) await sleep(dueMs);
    if (performance.now() - started > SECONDS * 1500) break;
    const partition = n % PARTITIONS;
    if (busy.has(partition)) {
      behind++; // One in flight each, as the journal does.
      await sleep(0);
      continue;
    }
    busy.add(partition);
    const began = performance.now();
    running.push(
      client.transact(partition, Buffer.alloc(300)).then(() => {
        took.push(performance.now() - began);
        busy.delete(partition);
      }),
    );
  }
  await Promise.all(running);
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - started) / 1000;
  const cpuMs = (used.user + used.system) / 1000 / took.length;
  const brokerMs = (brokersCpuMs() - brokers) / took.length;
  say(
    `${client.name}, ${rate}/s: ${spread(took)}; done ${(took.length / seconds).toFixed(0)}/s, ${behind} not begun ` +
      `in time; CPU each ${cpuMs.toFixed(2)} ms here, ${brokerMs.toFixed(2)} ms in the brokers`,
  );
}

async function measureReading(client: Client): Promise<void> {
  let seen = () => {};
  const opened = await client.read(0, () => seen());
  await sleep(1000);
  const delays: number[] = [];
  for (let n = 0; n < 100; n++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    seen = resolve;
    await client.transact(0, Buffer.from(String(n)));
    const written = performance.now();
    await Promise.race([promise, sleep(2000)]);
    delays.push(performance.now() - written);
    await sleep(20);
  }
  say(`${client.name}: a reader opens in ${opened.toFixed(0)} ms and sees a record ${spread(delays)} after its commit`);
}

async function measureIdle(client: Client): Promise<void> {
  const cpu = process.cpuUsage();
  await sleep(3000);
  const used = process.cpuUsage(cpu);
  say(
    `${client.name}: idle with ${PARTITIONS} partitions and a reader: ${((used.user + used.system) / 30_000).toFixed(1)} % of a core`,
  );
}

async function measureFence(make: (topic: string) => Promise<Client>): Promise<void> {
  const took: number[] = [];
  let name = '';
  for (let n = 0; n < 10; n++) {
    const child = spawn(process.execPath, [import.meta.filename, 'hang', TOPIC], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const client = await make(TOPIC);
    name = client.name;
    took.push(...(await client.own([7])));
    await client.close();
  }
  say(`${name}: the fence after a kill -9 inside a transaction: ${spread(took)}`);
}

if (process.argv[2] === 'hang') {
  await hang(process.argv[3]!, 7);
  say('open');
  await sleep(60_000);
} else {
  await createTopic(TOPIC, PARTITIONS);
  say(`load average ${loadavg()[0]!.toFixed(2)}; p50 / p99`);
  for (const make of [adapter, kafkaJs]) {
    const client = await make(TOPIC);
    const took = await client.own([...Array(PARTITIONS).keys()]);
    say(`${client.name}: owning a partition: ${spread(took)}`);
    for (const rate of RATES) await measureRate(client, rate);
    await measureReading(client);
    await measureIdle(client);
    await client.close();
    await measureFence(make);
  }
  say(`load average ${loadavg()[0]!.toFixed(2)}`);
  process.exit(0);
}
