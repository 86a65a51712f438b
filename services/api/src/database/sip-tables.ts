/** Tables of SIP objects and of what is attached to numbers: profiles, products, connections, domains. */
import type { Generated } from 'kysely';

type Stamps = { created_on: Generated<Date>; modified_on: Generated<Date> };

/** What an app and a connection have in common. */
type Trunk = {
  product: Generated<number>;
  tech_prefix: Generated<number>;
  ingress_media_type: Generated<string>;
  egress_media_type: Generated<string>;
  shaken_verify_policy: Generated<number>;
  shaken_minimum_accepted_attest_lvl: Generated<string>;
};

export type SipTables = {
  /** `tn_profile_id`: who may call it. */
  lease: { tn_profile_id: Generated<string | null>; connection_id: Generated<string | null> };
  app: { outbound_voice_profile_id: Generated<string | null> } & Trunk;
  sip_product: {
    id: number;
    name: string;
    description: Generated<string>;
    type: Generated<string>;
    tech_prefix: number;
    rate_table_id: Generated<number>;
    route_plan_id: Generated<number>;
  };
  tn_profile: { id: string; account_id: string; name: string; description: Generated<string> } & Stamps;
  /** `caller`: digits, then `%` (one digit) and `*` (any rest). It is on one list of a profile at most. */
  tn_profile_caller: { profile_id: string; caller: string; list: 'blacklist' | 'whitelist' };
  /** How an account calls out. `channel_limit`, `max_rate`, `daily_spend_limit` 0: none. `tn_lease_id`: its caller id. */
  outbound_voice_profile: {
    id: string;
    account_id: string;
    name: string;
    is_active: Generated<boolean>;
    product: Generated<number>;
    tech_prefix: Generated<number>;
    channel_limit: Generated<number>;
    /** Decimals as text. */
    max_rate: Generated<string>;
    daily_spend_limit: Generated<string>;
    record_calls: Generated<number>;
    filemat: Generated<string>;
    audio_track_type: Generated<number>;
    shaken_sign_policy: Generated<number>;
    media_type: Generated<string>;
    tn_lease_id: string | null;
  } & Stamps;
  /** A customer's own equipment: `ip` or `hostname`, one of them. */
  sip_connection: {
    id: string;
    account_id: string;
    name: string;
    is_active: Generated<boolean>;
    ip: string | null;
    hostname: string | null;
    port: Generated<number>;
    outbound_voice_profile_id: string | null;
  } & Trunk &
    Stamps;
  /** A name by which an account is called; unique over the platform, in lower case. */
  sip_domain: {
    id: string;
    account_id: string;
    domain: string;
    app_id: string | null;
    connection_id: string | null;
    outbound_voice_profile_id: string | null;
  } & Stamps;
  /** A machine that may call out by a domain, by its address. */
  sip_switch: {
    id: string;
    domain_id: string;
    name: string;
    description: Generated<string>;
    remote_ip: string;
    remote_domain: Generated<string>;
    is_active: Generated<boolean>;
  } & Stamps;
  /** `digests`: sealed; what finds them is a keyed hash. The password is nowhere. */
  sip_user: {
    id: string;
    domain_id: string;
    login: string;
    digests: Buffer;
    ha1b_md5_lookup: Buffer;
    ha1b_sha256_lookup: Buffer;
    first_name: Generated<string | null>;
    last_name: Generated<string | null>;
    email: Generated<string | null>;
    phone_number: Generated<string | null>;
    avatar: Generated<string | null>;
    dob: Generated<string | null>;
    gender: Generated<string | null>;
    same_domain_calls_only: Generated<boolean>;
    is_active: Generated<boolean>;
    tn_lease_id: string | null;
  } & Stamps;
  /** `token`: sealed. `used_on` null: it may still be used. */
  sip_invite: {
    id: string;
    domain_id: string;
    name: string;
    token_lookup: Buffer;
    token: Buffer;
    expires_on: Date;
    used_on: Date | null;
  } & Stamps;
  sip_group: { id: string; owner_id: string; name: string } & Stamps;
  sip_group_user: { group_id: string; user_id: string };
};
