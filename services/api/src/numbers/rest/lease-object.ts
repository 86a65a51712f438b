/** A leased number as its account sees it. */
import { type Static, Type } from 'typebox';
import { Moment, Stamps, stamp, Uuid } from '../../rest/envelope.ts';
import type { LeaseRow } from '../leases.ts';

const Named = Type.Union([Type.Object({ uuid: Uuid, name: Type.String() }), Type.Null()]);
export const Lease = Type.Object(
  {
    uuid: Uuid,
    tn: Type.Object({ tn: Type.Integer(), type: Type.String(), state: Type.String() }),
    features: Type.Array(Type.String()),
    autorenew: Type.Boolean(),
    expired_on: Moment,
    sip_control_app: Named,
    sip_connection: Named,
    tn_profile: Named,
    ...Stamps,
  },
  { title: 'Lease' },
);

const named = (uuid: string | null, name: string | null) => (uuid ? { uuid, name: name ?? '' } : null);

export const leaseOf = (row: LeaseRow): Static<typeof Lease> => ({
  uuid: row.id,
  tn: { tn: Number(row.tn), type: row.kind, state: row.state },
  features: row.features,
  autorenew: row.autorenew,
  expired_on: stamp(row.expires_on),
  sip_control_app: named(row.app_id, row.app_name),
  sip_connection: named(row.connection_id, row.connection_name),
  tn_profile: named(row.tn_profile_id, row.tn_profile_name),
  created_on: stamp(row.created_on),
  modified_on: stamp(row.modified_on),
});
