/**
 * A real Kafka, and readers that have nothing of us but the .proto files: kcat, kafkajs, buf. They find every event of a
 * call in `calls.journal`, and in `events.public` what customers are told.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadSync } from '@grpc/proto-loader';
import { embeddedPostgres } from '@opentact/event-log';
import { partitionOf } from '@opentact/runtime';
import { Kafka, logLevel } from 'kafkajs';
import { openDatabase } from '../../../services/api/src/database/database.ts';
import { type Broker, startBroker } from '../../kit/broker.ts';
import { openScene, type Scene } from '../../kit/scene.ts';
import { stored } from '../../kit/stored.ts';

const PROTO = fileURLToPath(new URL('../../../proto', import.meta.url));
const JOURNAL = 'calls.journal';
const PUBLIC = 'events.public';
const PARTITIONS = 48;

let broker: Broker | undefined;
let absent: string | undefined;
try {
  execFileSync('kcat', ['-V'], { stdio: 'ignore' });
  broker = await startBroker();
} catch (error) {
  if (process.env.OPENTACT_REQUIRE === 'all') throw error;
  absent = `no Kafka, or no kcat: ${(error as Error).message}`;
}

type Found = { key: string; headers: Record<string, string>; value: Buffer };
type JournalEvent = { call_id: string; seq: number; body: string; [body: string]: unknown };

/** Decodes a CallEvent by the .proto files alone: they name it as the only field of a streamed answer. */
function decoder(): (value: Buffer) => JournalEvent {
  const files = loadSync('opentact/call/v1/call_control.proto', {
    includeDirs: [PROTO],
    keepCase: true,
    longs: Number,
    oneofs: true,
  });
  const service = files['opentact.call.v1.CallControl'] as never as Record<
    string,
    { responseDeserialize(bytes: Buffer): { event: JournalEvent } }
  >;
  return (value) => {
    const length: number[] = [];
    for (let rest = value.length; rest > 0 || length.length === 0; rest >>>= 7)
      length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    const answer = Buffer.concat([Buffer.from([0x0a, ...length]), value]);
    return service.StreamCallEvents!.responseDeserialize(answer).event;
  };
}

/** A whole topic as kcat prints it: a line about each record, then its bytes. */
async function byKcat(topic: string): Promise<Found[]> {
  const args = ['-b', broker!.brokers.split(',')[0]!, '-C', '-t', topic, '-e', '-q'];
  args.push('-X', 'isolation.level=read_committed', '-f', '%S\\t%k\\t%h\\n%s\\n');
  const { stdout } = await promisify(execFile)('kcat', args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
  const found: Found[] = [];
  for (let at = 0; at < stdout.length; ) {
    const end = stdout.indexOf('\n', at);
    const [size, key, headers] = stdout.toString('utf8', at, end).split('\t') as [string, string, string];
    const value = stdout.subarray(end + 1, end + 1 + Number(size));
    found.push({ key, value, headers: Object.fromEntries(headers.split(',').map((h) => h.split('=', 2))) });
    at = end + 2 + Number(size);
  }
  return found;
}

/** Both topics from their beginning as any customer's consumer group reads them, until `enough`. */
async function byKafkajs(enough: (found: Record<string, Found[]>) => boolean): Promise<Record<string, Found[]>> {
  const kafka = new Kafka({ brokers: broker!.brokers.split(','), clientId: 'outsider', logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `outsider-${process.pid}` });
  const found: Record<string, Found[]> = { [JOURNAL]: [], [PUBLIC]: [] };
  await consumer.connect();
  await consumer.subscribe({ topics: [JOURNAL, PUBLIC], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message: { key, value, headers = {} } }) => {
      const texts = Object.entries(headers).map(([name, text]) => [name, String(text)] as const);
      found[topic]!.push({ key: String(key), value: value!, headers: Object.fromEntries(texts) });
    },
  });
  for (const until = Date.now() + 30_000; !enough(found) && Date.now() < until; )
    await new Promise((later) => setTimeout(later, 50));
  await consumer.disconnect();
  return found;
}

describe('readers from outside', { skip: absent, timeout: 180_000 }, () => {
  let scene: Scene;
  let callId: string;
  before(
    async () => {
      scene = await openScene({ OPENTACT_LOG: 'kafka', KAFKA_BROKERS: broker!.brokers });
      await scene.platform.whole();
      const call = await scene.dial('<Response><Say>Hello.</Say><Pause length="200"/><Hangup/></Response>');
      callId = call.platformCallId;
      await scene.platform.ended(callId);
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await scene?.close();
    await broker?.stop();
  });

  const ofCall = (found: Found[]) => found.filter(({ key }) => key === callId);
  const told = (found: Found[]) => ofCall(found).map(({ value }) => JSON.parse(value.toString()));
  const isOver = (found: Found[]) => told(found).some(({ payload }) => payload.state === 'destroyed');

  it('kcat finds the whole story, each event with its place, its type and its version', async () => {
    const story = await scene.platform.story(callId);
    const decode = decoder();
    const records = await byKcat(JOURNAL);
    const mine = ofCall(records);
    assert.deepEqual(
      mine.map(({ headers }) => `${headers.seq} ${headers.type}`),
      story.map(({ seq, type }) => `${seq} ${type}`),
    );
    for (const { value, headers } of mine) {
      const event = decode(value);
      assert.deepEqual([event.call_id, String(event.seq)], [callId, headers.seq]);
      assert.equal(event.body.replaceAll('_', ''), headers.type!.toLowerCase());
      assert.match(headers.schema!, /^[1-9]$/);
    }
    const taken = records.filter(({ key }) => key === '');
    assert.ok(taken.length > 0 && taken.every(({ headers }) => headers.type === 'PartitionTaken'));
  });

  it('buf reads one event as JSON', async () => {
    const arrived = ofCall(await byKcat(JOURNAL))[0]!;
    const args = ['convert', PROTO, '--type', 'opentact.call.v1.CallEvent', '--from', '-#format=binpb'];
    const json = execFileSync(`${PROTO}/node_modules/.bin/buf`, [...args, '--to', '-#format=json'], {
      input: arrived.value,
      encoding: 'utf8',
    });
    assert.equal(JSON.parse(json).callArrived.fromNumber, '12125550199');
  });

  it('a consumer group reads the same of both topics, and what customers are told is in order and once', async () => {
    const ended = Number((await scene.platform.story(callId)).at(-1)!.seq);
    const found = await byKafkajs((all) => isOver(all[PUBLIC]!) && ofCall(all[JOURNAL]!).length >= ended);
    const [journal, events] = await Promise.all([byKcat(JOURNAL), byKcat(PUBLIC)]);
    assert.deepEqual(ofCall(found[JOURNAL]!), ofCall(journal));
    assert.deepEqual(ofCall(found[PUBLIC]!), ofCall(events));
    const words = told(events).map(({ type, payload }) =>
      type === 'call_flow' ? payload.path || payload.command : payload.state,
    );
    assert.deepEqual(words, ['init', 'live', 'Answer', 'Say[0]', 'Pause[0]', 'Hangup[0]', 'hangup', 'destroyed']);
    assert.deepEqual(
      ofCall(events).map(({ headers }) => headers.type),
      ['call_state', 'call_state', 'call_flow', 'call_flow', 'call_flow', 'call_flow', 'call_state', 'call_state'],
    );
    assert.equal(new Set(told(events).map(({ uuid }) => uuid)).size, words.length);
  });

  it('a call whose records the broker no longer has tells its story all the same', async () => {
    const { platform } = scene;
    const story = await platform.story(callId);
    const postgres = await embeddedPostgres({ home: platform.home, databases: [] });
    const db = openDatabase(postgres.url('opentact_api'));
    await stored(db, callId, story.length).finally(() => db.destroy());
    const admin = new Kafka({
      brokers: broker!.brokers.split(','),
      clientId: 'keeper',
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    const partition = partitionOf(callId, PARTITIONS);
    const { high } = (await admin.fetchTopicOffsets(JOURNAL)).find((of) => of.partition === partition)!;
    await admin.deleteTopicRecords({ topic: JOURNAL, partitions: [{ partition, offset: high }] });
    await admin.disconnect();
    assert.deepEqual(ofCall(await byKcat(JOURNAL)), []);
    assert.deepEqual(await platform.story(callId), story);
    assert.equal((await platform.control.getCall(callId)).state, 'destroyed');
  });
});
