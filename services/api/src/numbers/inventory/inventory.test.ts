/** Numbers from a file: what is taken, what is told and left out, and that they can be found and had afterwards. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { csvRecords } from '../../kernel/csv.ts';
import { openRestScene, type RestScene } from '../../testing/scene.ts';
import { offersOf } from './offers.ts';
import { saveOffers } from './save.ts';

const COMMAND = fileURLToPath(new URL('./import.ts', import.meta.url));
let scene: RestScene;
before(async () => {
  scene = await openRestScene({ signUpCredit: 10 });
});
after(() => scene.close());

async function* whole(text: string) {
  yield text;
}
const save = (text: string, replaceDemo = false) =>
  saveOffers(scene.db, offersOf(csvRecords(whole(text))), { replaceDemo });

test('a line that can’t be a number is told and left out; the others can be found, at their prices', async () => {
  const text = `Country,TN,State,City,Rate_Center,Features,MRC,NRC,Type,Owner
us,+1 (646) 555-0100,ny,New York,nwyrcyzn01,voice sms,1.25,0.5,,me
US,6465,NY,,,,,,,
US,16465550101,New York,,,,,,,
US,16465550102,NY,,,telepathy,,,,
US,16465550103,NY,,,,1.23456,,,
US,16465550104,NY,,,,,,mobile,
USA,16465550105,NY,,,,,,,
US,18005550106,,,,voice;fax,2,,toll_free,
`;
  const { total, accepted, failed, errors } = await save(text);
  assert.deepEqual([total, accepted, failed], [8, 2, 6]);
  assert.deepEqual(
    errors.map(({ line }) => line),
    [3, 4, 5, 6, 7, 8],
  );
  assert.match(errors[2]!.reason, /features are voice, .*: "telepathy"/);
  const { jwt } = await scene.signedUp();
  const search = async (body: object) =>
    (await scene.ask('POST', '/tn/search', { as: jwt, body })).body.payload as { data: Array<Record<string, unknown>> };
  const [found] = (await search({ rate_center: 'NWYRCYZN01' })).data;
  assert.deepEqual([found!.tn, found!.mrc, found!.nrc, found!.features], [16465550100, 1.25, 0.5, ['voice', 'sms']]);
  assert.equal((await search({ type: 'toll_free' })).data[0]!.tn, 18005550106);
});

test('a later file brings new prices and takes nobody’s number away; a broken one changes nothing', async () => {
  const { jwt } = await scene.signedUp();
  await save('tn,country,mrc\n16465550120,US,1\n');
  const order = { items: [{ tn: 16465550120 }] };
  assert.equal((await scene.ask('POST', '/order', { as: jwt, body: order })).status, 201);
  await scene.db.updateTable('inventory').set({ demo: true }).execute();
  await assert.rejects(save('tn,country,mrc\n16465550121,US,1\n16465550122,US,"', true), /never closed/);
  assert.ok((await scene.db.selectFrom('inventory').selectAll().execute()).length > 1);
  await save('tn,country,mrc\n16465550120,US,1\n16465550120,US,3\n', true);
  const left = await scene.db.selectFrom('inventory').select(['tn', 'mrc', 'demo']).execute();
  assert.deepEqual(left, [{ tn: '16465550120', mrc: '3.0000', demo: false }]);
  assert.equal((await scene.ask('GET', '/lease/tn/16465550120', { as: jwt })).status, 200);
});

test('the command says what it did, and by its end how it went', { timeout: 60_000 }, async () => {
  const run = (...args: string[]): Promise<{ code: number; err: string }> =>
    new Promise((done) => {
      const env = { ...process.env, OPENTACT_HOME: scene.home, DATABASE_URL: '', OPENTACT_API_DATABASE_URL: '' };
      execFile(process.execPath, [COMMAND, ...args], { env }, (error, _, err) =>
        done({ code: error ? Number(error.code) : 0, err }),
      );
    });
  const file = join(scene.home, 'numbers.csv');
  await writeFile(file, 'tn,country\n16465550130,US\n1,US\n');
  assert.deepEqual(await run(file), {
    code: 1,
    err: 'line 3: tn is no number of 8 to 15 digits: "1"\n2 lines: 1 taken, 1 left out\n',
  });
  await writeFile(file, 'number,country\n16465550131,US\n');
  assert.deepEqual(await run(file), { code: 2, err: 'line 1: the header has no column tn; nothing was changed\n' });
  assert.equal((await run('--help')).code, 0);
});
