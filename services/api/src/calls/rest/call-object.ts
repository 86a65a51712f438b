/** The call object in answers (reference 3.5): what events carry, too. */
import type { CallObject } from '@opentact/proto/call-view';
import { type Static, Type } from 'typebox';
import { Moment, Stamps, Uuid } from '../../rest/envelope.ts';

const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(type: T) => Type.Union([type, Type.Null()]);
const MaybeText = Maybe(Type.String());
const MaybeMoment = Maybe(Moment);
/** Stays null: the README lists these fields, and a test holds the list to this schema. */
const Unknown = Type.Null();
/** Null of what began under a version that didn't tell it. */
const Since = { created_on: MaybeMoment, modified_on: MaybeMoment };

/** What a call came by, as it was then. */
const Lease = Type.Object({ uuid: Uuid, autorenew: Type.Boolean(), expired_on: Moment, ...Stamps });
const Domain = Type.Object({ domain: Type.String(), ...Stamps });
const Switch = Type.Object({ uuid: Uuid, name: Type.String(), remote_ip: Type.String(), ...Stamps });
const User = Type.Object({
  uuid: Uuid,
  login: Type.String(),
  first_name: MaybeText,
  last_name: MaybeText,
  email: MaybeText,
  phone_number: MaybeText,
  same_domain_calls_only: Type.Boolean(),
  ...Stamps,
});
const Connection = Type.Object({
  uuid: Uuid,
  name: Type.String(),
  is_active: Type.Boolean(),
  ip: MaybeText,
  hostname: MaybeText,
  port: Type.Integer(),
  ...Stamps,
});
const Account = Type.Object({
  uuid: Type.String(),
  name: MaybeText,
  email: MaybeText,
  level: MaybeText,
  phone: MaybeText,
  address1: MaybeText,
  address2: MaybeText,
  zip_code: MaybeText,
  city: MaybeText,
  balance: Unknown,
  ...Since,
  deleted_on: Unknown,
  disabled_on: Unknown,
});

const Leg = {
  uuid: Uuid,
  type: Type.Literal('CallSCA'),
  direction: Type.Union([Type.Literal('in'), Type.Literal('out')]),
  from: Type.String(),
  to: Type.String(),
  state: Type.String({ description: 'init, ringing, live, hangup or destroyed.' }),
  duration: Type.Integer({ description: 'Seconds from the answer.' }),
  created_on: Moment,
  modified_on: Moment,
  init_on: Moment,
  ring_on: MaybeMoment,
  answer_on: MaybeMoment,
  hangup_on: MaybeMoment,
  destroy_on: MaybeMoment,
  finished_on: MaybeMoment,
  q850_cause: Maybe(Type.Integer()),
  q850_cause_string: MaybeText,
  release_cause_from_protocol_stack: MaybeText,
  freeswitch_call_state: Type.String(),
  freeswitch_channel_state: Type.String(),
  stir_shaken_attest_level: Unknown,
  stir_shaken_identity: Unknown,
  tn: Maybe(Type.Object({ tn: Type.String(), ...Since, deleted_on: Unknown, tnlease: Maybe(Lease) })),
  sip_control_app: Type.Object({
    uuid: Type.String({ description: 'Empty: the call was ordered for no app.' }),
    name: Type.String(),
    is_active: Type.Boolean(),
    auto_answer: Type.Boolean(),
    max_call_length_min: Type.Integer(),
    shaken_verify_policy: Maybe(Type.Integer()),
    shaken_minimum_accepted_attest_lvl: MaybeText,
    ...Since,
  }),
  account: Account,
  thread: Type.String({ description: 'The same for all legs of a call: 32 hexadecimal digits.' }),
  sip_domain: Maybe(Domain),
  sip_switch: Maybe(Switch),
  sip_user: Maybe(User),
  sip_connection: Maybe(Connection),
  country: Unknown,
  lerg: Unknown,
  hotkey: Unknown,
  batch_item: MaybeText,
};

/** A call with its dialled legs, its recordings and the verbs that ran, the newest twenty of each. */
export const Call = Type.Object(
  {
    ...Leg,
    owner: { ...MaybeText, description: 'Who ended it; null while it lives.' },
    reason: MaybeText,
    verb: { ...MaybeText, description: 'Path of the running verb; null: none.' },
    parent: Maybe(Type.Object(Leg)),
    children: Type.Array(Type.Object(Leg)),
    records: Type.Array(Type.Object({ uuid: Uuid, duration: Type.Integer(), created_on: Moment })),
    logs: Type.Array(
      Type.Object({
        name: Type.String(),
        path: Type.String(),
        success: Type.Boolean(),
        reason: Type.String(),
        tag: Type.String(),
        created_on: Moment,
      }),
    ),
  },
  { title: 'Call' },
);

export type Call = Static<typeof Call>;

/** The object as the fold makes it, or as an engine tells it. */
export const callOf = (object: CallObject) => object as Call;
