/** Numbers that an account of a platform leases by REST, and what they run. */
import type { Client } from '@opentact/client';

/** A leased number of an account. @returns it and its lease, for `createCall` */
export async function numberOf(api: Client): Promise<{ tn: number; lease: string }> {
  const { tn } = (await api.search({ body: { pattern: '305*' } })).data[0]!;
  await api.createOrder({ body: { items: [{ tn }] } });
  return { tn, lease: (await api.getTNLeaseByUUID({ lease: String(tn) })).uuid };
}

/** A number that runs this document. */
export async function numberThatRuns(api: Client, xml: string): Promise<number> {
  const app = await api.createSIPControlApp({ body: { name: 'Attack', auto_answer: true } });
  await api.saveSIPControlAppStaticCallFlow({ uuid: app.uuid, file: xml });
  const { tn } = await numberOf(api);
  await api.modifyTNLease({ lease: String(tn), body: { sip_control_app: app.uuid } });
  return tn;
}
