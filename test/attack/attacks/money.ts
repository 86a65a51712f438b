/** Items 6, 8, 9 and 10: calls that somebody else pays for, and numbers that somebody else has. */
import type { Client } from '@opentact/client';
import { openPhone } from '@opentact/phone';
import { partitionOf } from '@opentact/runtime';
import pg from 'pg';
import type { Arena } from '../arena.ts';
import type { Attack } from '../attack.ts';
import { numberOf, numberThatRuns } from '../numbers.ts';
import { bye, call, header, offer, openDatagrams, sleep } from '../sip.ts';
import type { Trunked } from '../trunked.ts';

const FAR = '12025550143';
const dial = (target: string, from = '') =>
  `<Response><Dial timeout="5000"${from && ` from="${from}"`}>${target}</Dial></Response>`;
const byNumber = `<Number>${FAR}</Number>`;
const HEARD = '<Response><Pause length="2000"/></Response>';

/** What the API says to an order: its status, and whether it made a call. */
async function ordered(api: Client, to: string, lease: string): Promise<string> {
  try {
    const { uuid } = await api.createCall({ body: { to, tn_lease: lease, xml: HEARD } });
    return uuid;
  } catch (error) {
    return `refused, ${(error as Error).message.slice(0, 90)}`;
  }
}

/** Why each leg of a call was not made. */
async function failures({ platform }: Trunked, callId: string): Promise<string[]> {
  const story = await platform.ended(callId, 12_000).catch(() => platform.story(callId));
  return story.flatMap((e) => (e.type === 'DialFailed' || e.type === 'LegEnded' ? [`${e.type} ${e.reason}`] : []));
}

/** A call to a number of the platform, from a phone that shows `user`. */
async function callTo(trunked: Trunked, tn: number, user = '13475550199'): Promise<string> {
  const phone = await openPhone({ user });
  try {
    const placed = await (await phone.call(`sip:${tn}@${trunked.platform.sip}`)).until('answered');
    await trunked.platform.until(
      placed.platformCallId,
      (e) => e.type === 'DialFailed' || (e.type === 'LegAnswered' && e.leg > 0) || e.type === 'CallEnded',
    );
    await sleep(300);
    placed.hangup();
    return placed.platformCallId;
  } finally {
    await phone.close();
  }
}

const giveMoney = async ({ database }: Trunked, api: Client, amount: number) => {
  await database.query('update account set balance = $1 where id = $2', [amount, (await api.getAccount()).uuid]);
};

const signedUp: Attack = {
  item: '6.1',
  name: 'somebody who signs up, and dials the world by the operator’s trunk',
  trunked: true,
  async run(arena) {
    const trunked = await arena.trunked();
    const since = trunked.carrier.invites.length;
    const api = await trunked.stranger();
    const { balance } = await api.getAccount();
    // As if he had paid: it is the trunk that must refuse him.
    await giveMoney(trunked, api, 50);
    const { lease } = await numberOf(api);
    const order = await ordered(api, FAR, lease);
    const why = await failures(trunked, await callTo(trunked, await numberThatRuns(api, dial(byNumber))));
    await sleep(500);
    const reached = trunked.carrier.invites.length - since;
    return {
      sent: 'a sign-up; then, with money given to that account, POST /rest/call and <Dial><Number>',
      did: `credit at sign-up ${balance}; the order: ${order}; the Dial: ${why.join(', ')}; INVITEs that reached the trunk: ${reached}`,
      ok: balance === 0 && reached === 0 && order.startsWith('refused') && why.some((w) => w.includes('no-route')),
    };
  },
};

const trunksAddress: Attack = {
  item: '8.1',
  name: 'the trunk’s own address as a sip: target, by REST and by <Dial><Sip>',
  trunked: true,
  async run(arena) {
    const trunked = await arena.trunked();
    const { carrier, operator, database } = trunked;
    const since = carrier.invites.length;
    const targets = ['127.0.0.1', 'localhost', '127.1'].map((host) => `sip:${FAR}@${host}:${carrier.port}`);
    const stranger = await trunked.stranger();
    await giveMoney(trunked, stranger, 50);
    const { lease } = await numberOf(stranger);
    for (const to of targets) {
      const order = await ordered(stranger, to, lease);
      if (!order.startsWith('refused')) await failures(trunked, order);
    }
    const document = dial(targets.map((to) => `<Sip>${to.slice(4)}</Sip>`).join(''));
    const why = await failures(trunked, await callTo(trunked, await numberThatRuns(stranger, document)));
    const free = carrier.invites.length - since;
    // The account that the trunk serves may: it pays for it as for any leg of the trunk.
    const own = await numberOf(operator);
    const id = await ordered(operator, targets[0]!, own.lease);
    const reasons = id.startsWith('refused') ? [id] : await failures(trunked, id);
    const paid = await legsOf(database, id);
    return {
      sent: `POST /rest/call and <Dial><Sip> to ${targets.join(', ')} by a stranger's account, and by the operator's`,
      did: `the stranger's reached the trunk ${free} times (${[...new Set(why)].join(', ')}); the operator's ${carrier.invites.length - since - free} times, as ${paid} leg that is paid (${reasons.join(', ')})`,
      ok: free === 0 && carrier.invites.length - since - free === paid,
    };
  },
};

/** Legs of a call that money was kept back for, or that were charged. */
async function legsOf(database: pg.Client, callId: string): Promise<number> {
  if (callId.startsWith('refused')) return 0;
  const { rows } = await database.query<{ count: string }>(
    `select count(*) from outbound_leg where call_id = $1 and (hold > 0 or charged > 0)`,
    [callId],
  );
  return Number(rows[0]?.count);
}

const callerId: Attack = {
  item: '9.1',
  name: 'From of 911, of a foreign number, and of whoever called, by the trunk',
  trunked: true,
  async run(arena) {
    const trunked = await arena.trunked();
    const { carrier, operator } = trunked;
    const mine = (await operator.listTNLeases({ take: 100 })).data.map(({ tn }) => String(tn.tn));
    const shown: string[] = [];
    const refused: string[] = [];
    for (const from of ['911', '12025550100', '']) {
      const since = carrier.invites.length;
      const id = await callTo(trunked, await numberThatRuns(operator, dial(byNumber, from)), '13475550188');
      const invites = carrier.invites.slice(since);
      if (invites.length === 0) refused.push(`${from || 'none'}: ${(await failures(trunked, id))[0]}`);
      for (const invite of invites)
        for (const name of ['From', 'P-Asserted-Identity', 'Remote-Party-ID', 'P-Preferred-Identity', 'Contact'])
          shown.push(...(/sips?:\+?(\d+)@/.exec(header(invite, name))?.slice(1) ?? []));
    }
    const after = (await operator.listTNLeases({ take: 100 })).data.map(({ tn }) => String(tn.tn));
    const foreign = shown.filter((number) => ![...mine, ...after, '18005550100'].includes(number));
    return {
      sent: '<Dial from="911">, from="12025550100", and without a from for the caller 13475550188',
      did: `the trunk was shown ${shown.join(', ') || 'nobody'}; refused: ${refused.join('; ') || 'none'}`,
      ok: foreign.length === 0 && shown.length > 0 && refused.length === 2,
    };
  },
};

const strangersPay: Attack = {
  item: '10.1',
  name: 'calls of strangers to a number of somebody with next to no money',
  async run(arena) {
    const from = await openDatagrams('127.0.0.74');
    const { sipPort } = arena.platform;
    arena.evil.on('/flow', `<Response><Say>${'Every word of this has its price. '.repeat(60)}</Say></Response>`);
    const db = new pg.Client({ connectionString: arena.databaseUrl.replace(/\/opentact(?=$|\?)/, '/opentact_api') });
    await db.connect();
    await db.query('update account set balance = 0.001 where id = $1', [arena.evilAccount]);
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) {
      const placed = await call(from, sipPort, arena.evilNumber, offer(from.address, 40_000));
      ids.push(placed.platformCallId);
      await sleep(500);
      bye(from, sipPort, placed);
    }
    await counted(arena, db, ids);
    const { rows } = await db.query('select balance from account where id = $1', [arena.evilAccount]);
    const minutes = await db.query(`select 1 from transaction where account_id = $1 and ref_type = 'voice_incoming'`, [
      arena.evilAccount,
    ]);
    await db.end();
    await from.close();
    const balance = Number(rows[0].balance);
    return {
      sent: '4 calls of a stranger to an account that has 0.001, each heard long speech',
      did: `a balance of ${balance} is left; ${minutes.rowCount} minutes that came in were charged`,
      ok: ids.every(Boolean) && balance >= 0 && minutes.rowCount === 0,
    };
  },
};

const carriersCall: Attack = {
  item: '10.2',
  name: 'a call from the trunk’s own address to an account without money',
  trunked: true,
  async run(arena) {
    const trunked = await arena.trunked();
    const { carrier, platform, database } = trunked;
    const api = await trunked.stranger();
    await giveMoney(trunked, api, 5);
    const tn = await numberThatRuns(api, `<Response><Say>${'Every word has its price. '.repeat(60)}</Say></Response>`);
    await giveMoney(trunked, api, 0.0005);
    const placed = await call(carrier, platform.sipPort, String(tn), offer(carrier.address, carrier.port));
    await sleep(500);
    bye(carrier, platform.sipPort, placed);
    await counted(trunked, database, [placed.platformCallId]);
    const { balance } = await api.getAccount();
    return {
      sent: 'a call of the carrier to an account that has 0.0005',
      did: `it was answered ${placed.status}; a balance of ${balance} is left`,
      ok: placed.status === 200 && balance >= 0,
    };
  },
};

/** Until these calls were charged as far as they are: api has read the journal past their ends. */
async function counted({ platform }: Pick<Arena, 'platform'>, db: pg.Client, ids: string[]): Promise<void> {
  for (const id of ids) {
    await platform.ended(id);
    for (const end = Date.now() + 8_000; Date.now() < end; await sleep(100)) {
      const live = await db.query('select 1 from billed_call where call_id = $1', [id]);
      const read = await db.query('select 1 from charge_cursor where partition = $1 and position::bigint > 0', [
        partitionOf(id, 8),
      ]);
      const logged = await db.query('select 1 from call_log where id = $1 and hangup_on is not null', [id]);
      if (live.rowCount === 0 && read.rowCount && logged.rowCount) break;
    }
  }
}

export const MONEY = [signedUp, trunksAddress, callerId, strangersPay, carriersCall];
