// From the OpenAPI document by `node services/api/src/client/generate.ts`. Never edited.
export const OPERATIONS = {
  addSIPUserToSIPUserGroupApp: { method: 'PATCH', path: '/rest/app/group/{uuid}/users/{sip_user_uuid}' },
  addSIPUsersToSIPUserGroupApp: { method: 'POST', path: '/rest/app/group/{uuid}/users' },
  addUserToAccount: { method: 'POST', path: '/rest/account/user' },
  assignTNLeasesToSIPConnection: { method: 'POST', path: '/rest/sip/connection/{uuid}/tnlease' },
  assignTNLeasesToSIPControlApp: { method: 'POST', path: '/rest/sip/app/{uuid}/tnlease' },
  auth: { method: 'GET', path: '/rest/auth' },
  bridgeCalls: { method: 'POST', path: '/rest/call/bridge', headers: ['idempotency-key'] },
  cancelBatch: { method: 'DELETE', path: '/rest/batch/{uuid}' },
  changeBlacklist: { method: 'POST', path: '/rest/profile/tn/{uuid}/blacklist' },
  changeSIPUserPasswordViaResetTokenApp: { method: 'POST', path: '/rest/app/password_reset' },
  changeUserPasswordViaResetToken: { method: 'POST', path: '/rest/user/password_reset' },
  changeWhitelist: { method: 'POST', path: '/rest/profile/tn/{uuid}/whitelist' },
  checkSIPDomainByInviteApp: { method: 'GET', path: '/rest/app/invite/{token}' },
  clearUserCart: { method: 'DELETE', path: '/rest/user/cart' },
  createAccountOfficeHours: { method: 'POST', path: '/rest/account/office_hours' },
  createAddress: { method: 'POST', path: '/rest/address' },
  createBatch: { method: 'POST', path: '/rest/batch', headers: ['idempotency-key'] },
  createCall: { method: 'POST', path: '/rest/call', headers: ['idempotency-key'] },
  createOrder: { method: 'POST', path: '/rest/order', headers: ['idempotency-key'] },
  createOutboundVoiceProfile: { method: 'POST', path: '/rest/profile/outbound_voice' },
  createSIPConnection: { method: 'POST', path: '/rest/sip/connection' },
  createSIPControlApp: { method: 'POST', path: '/rest/sip/app' },
  createSIPDomain: { method: 'POST', path: '/rest/sip/domain' },
  createSIPSwitch: { method: 'POST', path: '/rest/sip/domain/{domain}/switch' },
  createSIPUser: { method: 'POST', path: '/rest/sip/domain/{domain}/user' },
  createSIPUserGroupApp: { method: 'POST', path: '/rest/app/group' },
  createSIPUserInvite: { method: 'POST', path: '/rest/sip/domain/{domain}/invite' },
  createTNOrder: { method: 'POST', path: '/rest/order/tn', headers: ['idempotency-key'] },
  createTNProfile: { method: 'POST', path: '/rest/profile/tn' },
  createToken: { method: 'POST', path: '/rest/token' },
  createUser: { method: 'POST', path: '/rest/user' },
  createUserCartEntry: { method: 'POST', path: '/rest/user/cart' },
  creditAccount: { method: 'POST', path: '/rest/admin/account/{uuid}/credit', headers: ['idempotency-key'] },
  deactivateUserAccountByUUID: { method: 'DELETE', path: '/rest/account/user/{uuid}' },
  deleteUserByUUID: { method: 'DELETE', path: '/rest/user/{uuid}' },
  deleteUserCartEntry: { method: 'DELETE', path: '/rest/user/cart/{uuid}' },
  executeSIPControlAppCallExecuteCallFlow: { method: 'POST', path: '/rest/sip/app/call/{uuid}', headers: ['idempotency-key'] },
  getAccount: { method: 'GET', path: '/rest/account' },
  getAccountByUUID: { method: 'GET', path: '/rest/account/{uuid}' },
  getAccountOfficeHours: { method: 'GET', path: '/rest/account/office_hours/{uuid}' },
  getAccountOfficeHoursList: { method: 'GET', path: '/rest/account/office_hours', query: ['dow'] },
  getAddress: { method: 'GET', path: '/rest/address/{uuid}' },
  getAddressListByAccount: { method: 'GET', path: '/rest/address/account' },
  getAddressListByUser: { method: 'GET', path: '/rest/address/user' },
  getBatch: { method: 'GET', path: '/rest/batch/{uuid}' },
  getBlacklist: { method: 'GET', path: '/rest/profile/tn/{uuid}/blacklist' },
  getCall: { method: 'GET', path: '/rest/call/sca/{uuid}' },
  getCallsOnline: { method: 'GET', path: '/rest/call/online' },
  getCartEntries: { method: 'GET', path: '/rest/user/cart' },
  getCurrentUser: { method: 'GET', path: '/rest/user' },
  getOrderByUUID: { method: 'GET', path: '/rest/order/{uuid}' },
  getOrderPrice: { method: 'POST', path: '/rest/order/price' },
  getOutboundVoiceProfileByUUID: { method: 'GET', path: '/rest/profile/outbound_voice/{uuid}' },
  getRecording: { method: 'GET', path: '/rest/recording/{uuid}' },
  getRecordingFile: { method: 'GET', path: '/rest/recording/{uuid}/file' },
  getSIPConnectionByUUID: { method: 'GET', path: '/rest/sip/connection/{uuid}' },
  getSIPConnectionProductsList: { method: 'GET', path: '/rest/sip/connection/product' },
  getSIPConnectionTNLeasesList: { method: 'GET', path: '/rest/sip/connection/{uuid}/tnlease' },
  getSIPControlAppByUUID: { method: 'GET', path: '/rest/sip/app/{uuid}' },
  getSIPControlAppCall: { method: 'GET', path: '/rest/sip/app/call/{uuid}' },
  getSIPControlAppCallsList: { method: 'GET', path: '/rest/sip/app/call/online' },
  getSIPControlAppStaticCallFlow: { method: 'GET', path: '/rest/sip/app/call/flow/{uuid}' },
  getSIPControlAppTNLeasesList: { method: 'GET', path: '/rest/sip/app/{uuid}/tnlease' },
  getSIPDomainByDomainName: { method: 'GET', path: '/rest/sip/domain/{domain}' },
  getSIPGroupsListApp: { method: 'GET', path: '/rest/app/group' },
  getSIPProductsList: { method: 'GET', path: '/rest/sip/product' },
  getSIPSwitchByUUID: { method: 'GET', path: '/rest/sip/domain/{domain}/switch/{uuid}' },
  getSIPUserApp: { method: 'GET', path: '/rest/app' },
  getSIPUserByUUID: { method: 'GET', path: '/rest/sip/domain/{domain}/user/{uuid}' },
  getSIPUserGroupUsersApp: { method: 'GET', path: '/rest/app/group/{uuid}/users' },
  getSIPUserInviteByUUID: { method: 'GET', path: '/rest/sip/domain/{domain}/invite/{uuid}' },
  getSIPUsersWithSameDomainApp: { method: 'GET', path: '/rest/app/users' },
  getSettings: { method: 'GET', path: '/rest/settings' },
  getTNLeaseByTN: { method: 'GET', path: '/rest/lease/tn/{lease}/tn' },
  getTNLeaseByUUID: { method: 'GET', path: '/rest/lease/tn/{lease}' },
  getTNLeaseRoute: { method: 'GET', path: '/rest/lease/tn/{lease}/route' },
  getTNProfileByUUID: { method: 'GET', path: '/rest/profile/tn/{uuid}' },
  getTechPrefixRoute: { method: 'GET', path: '/rest/sip/tech_prefix/{tn}/{domain}' },
  getTokenList: { method: 'GET', path: '/rest/token/list' },
  getTransactionByUUID: { method: 'GET', path: '/rest/transaction/{uuid}' },
  getTransactionDashboardReport: { method: 'GET', path: '/rest/transaction/report/dashboard/{ref_type}', query: ['from', 'to'] },
  getTransactionInvoiceReport: { method: 'GET', path: '/rest/transaction/report/invoice', query: ['from', 'to'] },
  getUserByUUID: { method: 'GET', path: '/rest/user/{uuid}' },
  getUsersByAccount: { method: 'GET', path: '/rest/account/user' },
  getWhitelist: { method: 'GET', path: '/rest/profile/tn/{uuid}/whitelist' },
  hangUpCall: { method: 'DELETE', path: '/rest/call/sca/{uuid}', headers: ['idempotency-key'] },
  listBatchItems: { method: 'GET', path: '/rest/batch/{uuid}/items', query: ['take', 'skip', 'state'] },
  listBatches: { method: 'GET', path: '/rest/batch', query: ['take', 'skip'] },
  listDictCountry: { method: 'GET', path: '/rest/dict/country' },
  listDictGTTSVoices: { method: 'GET', path: '/rest/dict/gtts' },
  listDictLERGRateCenters: { method: 'GET', path: '/rest/dict/lerg/ratecenters', query: ['state', 'country'] },
  listDictLERGStates: { method: 'GET', path: '/rest/dict/lerg/states', query: ['country'] },
  listDictTimeZone: { method: 'GET', path: '/rest/dict/tz' },
  listOrders: { method: 'GET', path: '/rest/order', query: ['take', 'skip'] },
  listOutboundVoiceProfiles: { method: 'GET', path: '/rest/profile/outbound_voice' },
  listRecordings: { method: 'GET', path: '/rest/recording', query: ['take', 'skip', 'until'] },
  listSIPConnections: { method: 'GET', path: '/rest/sip/connection' },
  listSIPControlApps: { method: 'GET', path: '/rest/sip/app' },
  listSIPDomains: { method: 'GET', path: '/rest/sip/domain' },
  listSIPSwitchesBySIPDomainUUID: { method: 'GET', path: '/rest/sip/domain/{domain}/switch' },
  listSIPUserInvites: { method: 'GET', path: '/rest/sip/domain/{domain}/invite' },
  listSIPUsersBySIPDomainUUID: { method: 'GET', path: '/rest/sip/domain/{domain}/user' },
  listSearchCountries: { method: 'GET', path: '/rest/tn/search/countries' },
  listTNLeases: { method: 'GET', path: '/rest/lease/tn', query: ['take', 'skip'] },
  listTNProfiles: { method: 'GET', path: '/rest/profile/tn' },
  modifyAccount: { method: 'PATCH', path: '/rest/account' },
  modifyOutboundVoiceProfile: { method: 'PATCH', path: '/rest/profile/outbound_voice/{uuid}' },
  modifySIPConnection: { method: 'PATCH', path: '/rest/sip/connection/{uuid}' },
  modifySIPControlApp: { method: 'PATCH', path: '/rest/sip/app/{uuid}' },
  modifySIPDomainByDomainName: { method: 'PATCH', path: '/rest/sip/domain/{domain}' },
  modifySIPSwitch: { method: 'PATCH', path: '/rest/sip/domain/{domain}/switch/{uuid}' },
  modifySIPUser: { method: 'PATCH', path: '/rest/sip/domain/{domain}/user/{uuid}' },
  modifySIPUserApp: { method: 'PATCH', path: '/rest/app' },
  modifySIPUserGroupApp: { method: 'PATCH', path: '/rest/app/group/{uuid}' },
  modifySIPUserInvite: { method: 'PATCH', path: '/rest/sip/domain/{domain}/invite/{uuid}' },
  modifyTNLease: { method: 'PATCH', path: '/rest/lease/tn/{lease}' },
  modifyTNProfile: { method: 'PATCH', path: '/rest/profile/tn/{uuid}' },
  modifyToken: { method: 'PATCH', path: '/rest/token/{uuid}' },
  reactivateUserAccountByUUID: { method: 'PUT', path: '/rest/account/user/{uuid}' },
  registerSIPUserByInviteApp: { method: 'POST', path: '/rest/app/invite/{token}' },
  removeAccountOfficeHoursByUUID: { method: 'DELETE', path: '/rest/account/office_hours/{uuid}' },
  removeAddressByUUID: { method: 'DELETE', path: '/rest/address/{uuid}' },
  removeAll: { method: 'DELETE', path: '/rest/token/all' },
  removeAvatar: { method: 'DELETE', path: '/rest/user/{uuid}/avatar' },
  removeByTokenString: { method: 'DELETE', path: '/rest/token/{token}' },
  removeFromBlacklist: { method: 'DELETE', path: '/rest/profile/tn/{uuid}/blacklist/{number}' },
  removeFromWhitelist: { method: 'DELETE', path: '/rest/profile/tn/{uuid}/whitelist/{number}' },
  removeOutboundVoiceProfileByUUID: { method: 'DELETE', path: '/rest/profile/outbound_voice/{uuid}' },
  removeRecording: { method: 'DELETE', path: '/rest/recording/{uuid}' },
  removeSIPConnectionByID: { method: 'DELETE', path: '/rest/sip/connection/{uuid}' },
  removeSIPControlAppByUUID: { method: 'DELETE', path: '/rest/sip/app/{uuid}' },
  removeSIPControlAppStaticCallFlow: { method: 'DELETE', path: '/rest/sip/app/call/flow/{uuid}' },
  removeSIPDomainByDomainName: { method: 'DELETE', path: '/rest/sip/domain/{domain}' },
  removeSIPSwitchByUUID: { method: 'DELETE', path: '/rest/sip/domain/{domain}/switch/{uuid}' },
  removeSIPUserByUUID: { method: 'DELETE', path: '/rest/sip/domain/{domain}/user/{uuid}' },
  removeSIPUserFromSIPUserGroupApp: { method: 'DELETE', path: '/rest/app/group/{uuid}/users/{sip_user_uuid}' },
  removeSIPUserGroupApp: { method: 'DELETE', path: '/rest/app/group/{uuid}' },
  removeSIPUserInviteByUUID: { method: 'DELETE', path: '/rest/sip/domain/{domain}/invite/{uuid}' },
  removeTNLeaseByUUID: { method: 'DELETE', path: '/rest/lease/tn/{lease}' },
  removeTNLeases: { method: 'DELETE', path: '/rest/lease/tn' },
  removeTNProfileByUUID: { method: 'DELETE', path: '/rest/profile/tn/{uuid}' },
  requestSIPUserPasswordResetEmailApp: { method: 'GET', path: '/rest/app/password_reset', query: ['email', 'callback'] },
  requestUserPasswordResetEmail: { method: 'GET', path: '/rest/user/password_reset', query: ['email', 'callback'] },
  runCallDocument: { method: 'POST', path: '/rest/call/sca/{uuid}', headers: ['idempotency-key'] },
  saveSIPControlAppStaticCallFlow: { method: 'POST', path: '/rest/sip/app/call/flow/{uuid}' },
  scheduleAction: { method: 'GET', path: '/rest/admin/schedule/{action}' },
  search: { method: 'POST', path: '/rest/tn/search', query: ['take', 'skip', 'page', 'size'] },
  searchCallFlowLogs: { method: 'POST', path: '/rest/sip/app/{uuid}/logs', query: ['take', 'skip', 'until'] },
  searchCalls: { method: 'POST', path: '/rest/call/search', query: ['take', 'skip', 'until'] },
  searchOrders: { method: 'POST', path: '/rest/order/search', query: ['take', 'skip'] },
  searchSCACalls: { method: 'POST', path: '/rest/sip/app/call/search', query: ['take', 'skip', 'until'] },
  searchTNLeases: { method: 'POST', path: '/rest/lease/tn/search', query: ['take', 'skip'] },
  searchTransactions: { method: 'POST', path: '/rest/transaction/search', query: ['take', 'skip'] },
  systemDICTGTTSReload: { method: 'GET', path: '/rest/admin/system/dict_gtts_reload' },
  tnleaseCreate: { method: 'POST', path: '/rest/admin/tnlease/create' },
  updateAccountOfficeHours: { method: 'PATCH', path: '/rest/account/office_hours/{uuid}' },
  updateAddress: { method: 'PATCH', path: '/rest/address/{uuid}' },
  updateUserByUUID: { method: 'PATCH', path: '/rest/user/{uuid}' },
  updateUserCartEntry: { method: 'PATCH', path: '/rest/user/cart/{uuid}' },
  uploadAvatar: { method: 'POST', path: '/rest/user/{uuid}/avatar' },
  uploadDictLERG: { method: 'POST', path: '/rest/dict/lerg' },
  uploadSIPUserAvatarApp: { method: 'POST', path: '/rest/app/avatar' },
  verifyUserEmail: { method: 'POST', path: '/rest/user/verification' },
} as const;

export type APIKey = { uuid: string; name: string; token?: string; expired_on: string | null; created_on: string; modified_on: string };
export type Account = { uuid: string; name: string; email: string; level: string; balance: number; time_zone: string; phone: string | null; address1: string | null; address2: string | null; zip_code: string | null; city: string | null; deleted_on: string | null; created_on: string; modified_on: string };
export type Address = { uuid: string; name: string; is_physical: boolean; is_billing: boolean; is_shipping: boolean; address1: string; zip_code: string; city: string; country: { a2: string }; address2: string | null; user: { uuid: string } | null; created_on: string; modified_on: string };
export type App = { uuid: string; name: string; is_active: boolean; auto_answer: boolean; webhook_url: string; webhook_method: 'GET' | 'POST'; webhook_request_timeout: number; call_flow_url: string; call_flow_method: 'GET' | 'POST'; call_flow_request_timeout: number; max_call_length_min: number | null; silence_ms: number | null; rtp_from_anywhere: boolean; shaken_verify_policy: number; shaken_minimum_accepted_attest_lvl: 'A' | 'B' | 'C'; tech_prefix: number; product: Product; class4_ingress_trunk_settings: { media_type: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; class4_egress_trunk_settings: { media_type: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; outbound_voice_profile: { uuid: string } | null; created_on: string; modified_on: string };
export type Batch = { uuid: string; type: 'call_xml'; state: string; outbound_voice_profile: { uuid: string } | null; tn_lease: { uuid: string } | null; sip_control_app: { uuid: string } | null; xml: string; call_flow_url: string; pace: number; phones?: Array<string>; total: number; waiting: number; ordered: number; answered: number; ended: number; refused: number; cancelled: number; created_by: { uuid: string } | null; created_on: string; modified_on: string };
export type BatchItem = { uuid: string; phone: string; state: string; reason: string; call: { uuid: string; state: string; owner: string; duration: number; answer_on: string | null } | null };
export type Call = { uuid: string; type: 'CallSCA'; direction: 'in' | 'out'; from: string; to: string; state: string; duration: number; created_on: string; modified_on: string; init_on: string; ring_on: string | null; answer_on: string | null; hangup_on: string | null; destroy_on: string | null; finished_on: string | null; q850_cause: number | null; q850_cause_string: string | null; release_cause_from_protocol_stack: string | null; freeswitch_call_state: string; freeswitch_channel_state: string; stir_shaken_attest_level: null; stir_shaken_identity: null; tn: { tn: string; created_on: string | null; modified_on: string | null; deleted_on: null; tnlease: { uuid: string; autorenew: boolean; expired_on: string; created_on: string; modified_on: string } | null } | null; sip_control_app: { uuid: string; name: string; is_active: boolean; auto_answer: boolean; max_call_length_min: number; shaken_verify_policy: number | null; shaken_minimum_accepted_attest_lvl: string | null; created_on: string | null; modified_on: string | null }; account: { uuid: string; name: string | null; email: string | null; level: string | null; phone: string | null; address1: string | null; address2: string | null; zip_code: string | null; city: string | null; balance: null; created_on: string | null; modified_on: string | null; deleted_on: null; disabled_on: null }; thread: string; sip_domain: { domain: string; created_on: string; modified_on: string } | null; sip_switch: { uuid: string; name: string; remote_ip: string; created_on: string; modified_on: string } | null; sip_user: { uuid: string; login: string; first_name: string | null; last_name: string | null; email: string | null; phone_number: string | null; same_domain_calls_only: boolean; created_on: string; modified_on: string } | null; sip_connection: { uuid: string; name: string; is_active: boolean; ip: string | null; hostname: string | null; port: number; created_on: string; modified_on: string } | null; country: null; lerg: null; hotkey: null; batch_item: string | null; owner: string | null; reason: string | null; verb: string | null; parent: { uuid: string; type: 'CallSCA'; direction: 'in' | 'out'; from: string; to: string; state: string; duration: number; created_on: string; modified_on: string; init_on: string; ring_on: string | null; answer_on: string | null; hangup_on: string | null; destroy_on: string | null; finished_on: string | null; q850_cause: number | null; q850_cause_string: string | null; release_cause_from_protocol_stack: string | null; freeswitch_call_state: string; freeswitch_channel_state: string; stir_shaken_attest_level: null; stir_shaken_identity: null; tn: { tn: string; created_on: string | null; modified_on: string | null; deleted_on: null; tnlease: { uuid: string; autorenew: boolean; expired_on: string; created_on: string; modified_on: string } | null } | null; sip_control_app: { uuid: string; name: string; is_active: boolean; auto_answer: boolean; max_call_length_min: number; shaken_verify_policy: number | null; shaken_minimum_accepted_attest_lvl: string | null; created_on: string | null; modified_on: string | null }; account: { uuid: string; name: string | null; email: string | null; level: string | null; phone: string | null; address1: string | null; address2: string | null; zip_code: string | null; city: string | null; balance: null; created_on: string | null; modified_on: string | null; deleted_on: null; disabled_on: null }; thread: string; sip_domain: { domain: string; created_on: string; modified_on: string } | null; sip_switch: { uuid: string; name: string; remote_ip: string; created_on: string; modified_on: string } | null; sip_user: { uuid: string; login: string; first_name: string | null; last_name: string | null; email: string | null; phone_number: string | null; same_domain_calls_only: boolean; created_on: string; modified_on: string } | null; sip_connection: { uuid: string; name: string; is_active: boolean; ip: string | null; hostname: string | null; port: number; created_on: string; modified_on: string } | null; country: null; lerg: null; hotkey: null; batch_item: string | null } | null; children: Array<{ uuid: string; type: 'CallSCA'; direction: 'in' | 'out'; from: string; to: string; state: string; duration: number; created_on: string; modified_on: string; init_on: string; ring_on: string | null; answer_on: string | null; hangup_on: string | null; destroy_on: string | null; finished_on: string | null; q850_cause: number | null; q850_cause_string: string | null; release_cause_from_protocol_stack: string | null; freeswitch_call_state: string; freeswitch_channel_state: string; stir_shaken_attest_level: null; stir_shaken_identity: null; tn: { tn: string; created_on: string | null; modified_on: string | null; deleted_on: null; tnlease: { uuid: string; autorenew: boolean; expired_on: string; created_on: string; modified_on: string } | null } | null; sip_control_app: { uuid: string; name: string; is_active: boolean; auto_answer: boolean; max_call_length_min: number; shaken_verify_policy: number | null; shaken_minimum_accepted_attest_lvl: string | null; created_on: string | null; modified_on: string | null }; account: { uuid: string; name: string | null; email: string | null; level: string | null; phone: string | null; address1: string | null; address2: string | null; zip_code: string | null; city: string | null; balance: null; created_on: string | null; modified_on: string | null; deleted_on: null; disabled_on: null }; thread: string; sip_domain: { domain: string; created_on: string; modified_on: string } | null; sip_switch: { uuid: string; name: string; remote_ip: string; created_on: string; modified_on: string } | null; sip_user: { uuid: string; login: string; first_name: string | null; last_name: string | null; email: string | null; phone_number: string | null; same_domain_calls_only: boolean; created_on: string; modified_on: string } | null; sip_connection: { uuid: string; name: string; is_active: boolean; ip: string | null; hostname: string | null; port: number; created_on: string; modified_on: string } | null; country: null; lerg: null; hotkey: null; batch_item: string | null }>; records: Array<{ uuid: string; duration: number; created_on: string }>; logs: Array<{ name: string; path: string; success: boolean; reason: string; tag: string; created_on: string }> };
export type CallFlow = { url: string; xml: string };
export type CartEntry = { uuid: string; payload: Record<string, unknown> };
export type Country = { name: string; a2: string; a3: string; n: number };
export type Dashboard = { from: string; to: string; ref_type: string; report: Array<{ date: string; count: number; sum: number }> };
export type FlowLogEntry = { call: string; seq: number; from: string; tn: string; document: number; path: string; name: string; success: boolean; reason: string; tag: string; created_on: string };
export type Invoice = { from: string; to: string; report: Array<{ ref_type: string; amount: number }> };
export type Lease = { uuid: string; tn: { tn: number; type: string; state: string }; features: Array<string>; autorenew: boolean; expired_on: string; sip_control_app: { uuid: string; name: string } | null; sip_connection: { uuid: string; name: string } | null; tn_profile: { uuid: string; name: string } | null; created_on: string; modified_on: string };
export type LeaseRoute = { tn: number; provider: string; destination: { type: 'sip_control_app' | 'sip_connection'; uuid: string; name: string } | null };
export type OfferedNumber = { tn: number; type: string; country: string; state: string; city: string; rate_center: string; features: Array<string>; nrc: number; mrc: number; registered: boolean };
export type OfficeHours = { uuid: string; type: 'nonworking' | 'lunchtime' | 'coffeebreak' | 'weekends'; dow: 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat'; time_from: number; time_to: number; name: string | null; created_on: string; modified_on: string };
export type Order = { uuid: string; state: string; total: number; success: number; processing: number; failed: number; price: number; errors: Array<{ tn: number; reason: string; description: string }>; created_on: string; modified_on: string };
export type OrderPrice = { nrc: number; mrc: number; items: Array<{ tn: number; nrc: number; mrc: number }>; errors: Array<{ tn: number; reason: string; description: string }> };
export type OutboundVoiceProfile = { uuid: string; name: string; is_active: boolean; tech_prefix: number; channel_limit: number; max_rate: number; daily_spend_limit: number; record_calls: 0 | 1 | 2; filemat: 'wav' | 'mp3'; audio_track_type: 0 | 1; shaken_sign_policy: number; class4_ingress_trunk_settings: { media_type: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; product: Product; tn_lease: { uuid: string; tn: { tn: number } } | null; created_on: string; modified_on: string };
export type Product = { id: number; name: string; description: string; type: 'public' | 'private'; tech_prefix: number; rate_table_id: number; route_plan_id: number };
export type RateCenter = { country: string; state: string; rate_center: string };
export type Recording = { uuid: string; call: string; tag: string; url: string; duration: number | null; transcript: string | null; created_on: string };
export type SIPConnection = { uuid: string; name: string; is_active: boolean; port: number; shaken_verify_policy: number; shaken_minimum_accepted_attest_lvl: 'A' | 'B' | 'C'; ip: string | null; hostname: string | null; tech_prefix: number; product: Product; class4_ingress_trunk_settings: { media_type: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; class4_egress_trunk_settings: { media_type: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; outbound_voice_profile: { uuid: string } | null; created_on: string; modified_on: string };
export type SIPDomain = { domain: string; sip_connection: { uuid: string; name: string } | null; sip_control_app: { uuid: string; name: string } | null; outbound_voice_profile: { uuid: string; name: string } | null; created_on: string; modified_on: string };
export type SIPInvite = { uuid: string; name: string; expired_on: string; token: string; used_on: string | null; sip_domain: { domain: string }; created_on: string; modified_on: string };
export type SIPSwitch = { uuid: string; name: string; description: string; remote_ip: string | string; remote_domain: string; is_active: boolean; sip_domain: { domain: string }; created_on: string; modified_on: string };
export type SIPUser = { uuid: string; login: string; first_name: string | null; last_name: string | null; email: string | null; phone_number: string | null; avatar: string | null; dob: string | null; gender: 'Male' | 'Female' | 'Other' | null; same_domain_calls_only: boolean; is_active: boolean; state: 'online' | 'offline'; tn_lease: { uuid: string; tn: { tn: number } } | null; sip_domain: { domain: string; created_on: string; modified_on: string }; groups: Array<{ uuid: string; name: string }>; created_on: string; modified_on: string };
export type SIPUserGroup = { uuid: string; name: string; users: Array<string>; created_on: string; modified_on: string };
export type Settings = { google_client_id: string | null; facebook_client_id: string | null; stripe_public_key: string | null; paypal_client_id: string | null };
export type State = { country: string; state: string };
export type TNProfile = { uuid: string; name: string; description: string; created_on: string; modified_on: string };
export type TechPrefixRoute = { tn: number; domain: string; tech_prefix: number };
export type TimeZone = { name: string; utc_offset: number; utc_dst_offset: number };
export type Transaction = { uuid: string; amount: number; account_balance_before: number; account_balance_after: number; ref_type: string; ref_uuid: string; description: string; created_on: string };
export type User = { uuid: string; email: string; role: 'Admin' | 'User' | 'Provider'; first_name: string | null; last_name: string | null; phone_number: string | null; gender: string | null; dob: string | null; avatar: string | null; gmail_user_id: string | null; facebook_user_id: string | null; wss_online: boolean; token?: string; account: Account; deleted_on: string | null; created_on: string; modified_on: string };
export type Voice = { uuid: string; type: string; code: string; name: string; gender: string; lang: string };

export type Operations = {
  /** Put a user into a group: PATCH /rest/app/group/{uuid}/users/{sip_user_uuid} */
  addSIPUserToSIPUserGroupApp: { args: { uuid: string; sip_user_uuid: string }; answer: SIPUserGroup };
  /** Put users into a group: POST /rest/app/group/{uuid}/users */
  addSIPUsersToSIPUserGroupApp: { args: { uuid: string; body: { users: Array<string> } }; answer: Array<SIPUser> };
  /** Add a user to the account: POST /rest/account/user */
  addUserToAccount: { args: { body: { email: string; password: string; phone_number?: string; first_name?: string; last_name?: string; gender?: 'Male' | 'Female' | 'Other'; dob?: string; avatar?: string; role?: 'Admin' | 'User' | 'Provider'; account?: unknown } }; answer: User };
  /** Point numbers to a connection, or away: POST /rest/sip/connection/{uuid}/tnlease */
  assignTNLeasesToSIPConnection: { args: { uuid: string; body: { add?: Array<string>; remove?: Array<string> } }; answer: Array<Lease> };
  /** Point numbers to an app, or away: POST /rest/sip/app/{uuid}/tnlease */
  assignTNLeasesToSIPControlApp: { args: { uuid: string; body: { add?: Array<string>; remove?: Array<string> } }; answer: Array<Lease> };
  /** Log in: GET /rest/auth */
  auth: { args: Record<never, never>; answer: User };
  /** Connect two live calls: POST /rest/call/bridge */
  bridgeCalls: { args: { 'idempotency-key'?: string; body: { call_a: string; call_b: string } }; answer: Array<Call> };
  /** Cancel a bulk call: DELETE /rest/batch/{uuid} */
  cancelBatch: { args: { uuid: string }; answer: Batch };
  /** Put callers on the blacklist of a TN profile, or take them off: POST /rest/profile/tn/{uuid}/blacklist */
  changeBlacklist: { args: { uuid: string; body: { add?: Array<string | number>; remove?: Array<string | number> } }; answer: Array<string> };
  /** Set a password by the token of a mail: POST /rest/app/password_reset */
  changeSIPUserPasswordViaResetTokenApp: { args: { body: { token: string; password: string } }; answer: Record<string, unknown> };
  /** Set a password by the token of a mail: POST /rest/user/password_reset */
  changeUserPasswordViaResetToken: { args: { body: { token: string; password: string } }; answer: Record<string, unknown> };
  /** Put callers on the whitelist of a TN profile, or take them off: POST /rest/profile/tn/{uuid}/whitelist */
  changeWhitelist: { args: { uuid: string; body: { add?: Array<string | number>; remove?: Array<string | number> } }; answer: Array<string> };
  /** See which domain an invite is for: GET /rest/app/invite/{token} */
  checkSIPDomainByInviteApp: { args: { token: string }; answer: { domain: string; created_on: string; modified_on: string } };
  /** Empty one’s cart: DELETE /rest/user/cart */
  clearUserCart: { args: Record<never, never>; answer: Record<string, unknown> };
  /** Add office hours: POST /rest/account/office_hours */
  createAccountOfficeHours: { args: { body: { type: 'nonworking' | 'lunchtime' | 'coffeebreak' | 'weekends'; dow: 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat'; time_from: number; time_to: number; name?: string | null } }; answer: OfficeHours };
  /** Add an address: POST /rest/address */
  createAddress: { args: { body: { name: string; is_physical: boolean; is_billing: boolean; is_shipping: boolean; address1: string; zip_code: string; city: string; country: string; address2?: string | null } }; answer: Address };
  /** Call many numbers: POST /rest/batch */
  createBatch: { args: { 'idempotency-key'?: string; body: { phones: Array<number | string>; outbound_voice_profile?: string; tn_lease?: string; sip_control_app?: string; xml?: string; call_flow_url?: string; call_flow_method?: 'GET' | 'POST'; pace?: number } }; answer: Batch };
  /** Make a call: POST /rest/call */
  createCall: { args: { 'idempotency-key'?: string; body: { to: number | string; outbound_voice_profile?: string; tn_lease?: string; sip_control_app?: string; xml?: string; call_flow_url?: string; call_flow_method?: 'GET' | 'POST'; ring_timeout?: number } }; answer: Call };
  /** Order numbers: POST /rest/order */
  createOrder: { args: { 'idempotency-key'?: string; body: { items: Array<{ tn: number | string; features?: Array<'voice' | 'fax' | 'sms' | 'mms' | 'emergency'>; autorenew?: boolean; voice?: boolean; fax?: boolean; sms?: boolean; mms?: boolean; emergency?: boolean; profile?: string }> } }; answer: Order };
  /** Make an outbound voice profile: POST /rest/profile/outbound_voice */
  createOutboundVoiceProfile: { args: { body: ({ name: string }) & ({ is_active?: boolean; tech_prefix?: number; channel_limit?: number; max_rate?: number; daily_spend_limit?: number; record_calls?: 0 | 1 | 2; filemat?: 'wav' | 'mp3'; audio_track_type?: 0 | 1; shaken_sign_policy?: number; class4_ingress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; product?: number; tn_lease?: string | null; daily_spent_limit?: number }) }; answer: OutboundVoiceProfile };
  /** Make a SIP connection: POST /rest/sip/connection */
  createSIPConnection: { args: { body: ({ name: string }) & ({ is_active?: boolean; port?: number; shaken_verify_policy?: number; shaken_minimum_accepted_attest_lvl?: 'A' | 'B' | 'C'; ip?: string | null; hostname?: string | null; product?: number; class4_ingress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; class4_egress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; outbound_voice_profile?: string | null; uuid?: unknown; subdomain?: unknown }) }; answer: SIPConnection };
  /** Make an app: POST /rest/sip/app */
  createSIPControlApp: { args: { body: ({ name: string }) & ({ is_active?: boolean; auto_answer?: boolean; webhook_url?: string; webhook_method?: 'GET' | 'POST'; webhook_request_timeout?: number; call_flow_url?: string; call_flow_method?: 'GET' | 'POST'; call_flow_request_timeout?: number; max_call_length_min?: number | null; silence_ms?: number | null; rtp_from_anywhere?: boolean; shaken_verify_policy?: number; shaken_minimum_accepted_attest_lvl?: 'A' | 'B' | 'C'; product?: number; class4_ingress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; class4_egress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; outbound_voice_profile?: string | null }) }; answer: App };
  /** Make a SIP domain: POST /rest/sip/domain */
  createSIPDomain: { args: { body: ({ domain: string }) & ({ sip_connection?: string | null; sip_control_app?: string | null; outbound_voice_profile?: string | null }) }; answer: SIPDomain };
  /** Make a switch: POST /rest/sip/domain/{domain}/switch */
  createSIPSwitch: { args: { domain: string; body: ({ name: string; remote_ip: string | string }) & ({ description?: string; remote_domain?: string; is_active?: boolean }) }; answer: SIPSwitch };
  /** Make a SIP user: POST /rest/sip/domain/{domain}/user */
  createSIPUser: { args: { domain: string; body: ({ login: string; password: string }) & ({ first_name?: string | null; last_name?: string | null; email?: string | null; phone_number?: string | null; avatar?: string | null; dob?: string | null; gender?: 'Male' | 'Female' | 'Other' | null; same_domain_calls_only?: boolean; is_active?: boolean; tn_lease?: string | null; remote_ip?: unknown }) }; answer: SIPUser };
  /** Make a group: POST /rest/app/group */
  createSIPUserGroupApp: { args: { body: { name: string; users?: Array<string> } }; answer: SIPUserGroup };
  /** Make an invite: POST /rest/sip/domain/{domain}/invite */
  createSIPUserInvite: { args: { domain: string; body: { name: string; expired_on: string } }; answer: SIPInvite };
  /** Order numbers (older path): POST /rest/order/tn */
  createTNOrder: { args: { 'idempotency-key'?: string; body: { items: Array<{ tn: number | string; features?: Array<'voice' | 'fax' | 'sms' | 'mms' | 'emergency'>; autorenew?: boolean; voice?: boolean; fax?: boolean; sms?: boolean; mms?: boolean; emergency?: boolean; profile?: string }> } }; answer: Order };
  /** Make a TN profile: POST /rest/profile/tn */
  createTNProfile: { args: { body: { name: string; description?: string } }; answer: TNProfile };
  /** Make an API key: POST /rest/token */
  createToken: { args: { body: { name: string; ttl?: number } }; answer: APIKey };
  /** Sign up: POST /rest/user */
  createUser: { args: { body: { email: string; password: string; phone_number?: string; first_name?: string; last_name?: string; gender?: 'Male' | 'Female' | 'Other'; dob?: string; avatar?: string; account?: { name: string; email?: string }; role?: unknown } }; answer: User };
  /** Put something into one’s cart: POST /rest/user/cart */
  createUserCartEntry: { args: { body: { payload: Record<string, unknown>; ttl?: number } }; answer: CartEntry };
  /** Credit an account: POST /rest/admin/account/{uuid}/credit */
  creditAccount: { args: { uuid: string; 'idempotency-key': string; body: { amount: number; description?: string } }; answer: Transaction };
  /** Deactivate a user: DELETE /rest/account/user/{uuid} */
  deactivateUserAccountByUUID: { args: { uuid: string }; answer: Array<User> };
  /** Remove a user: DELETE /rest/user/{uuid} */
  deleteUserByUUID: { args: { uuid: string }; answer: Record<string, unknown> };
  /** Take something out of one’s cart: DELETE /rest/user/cart/{uuid} */
  deleteUserCartEntry: { args: { uuid: string }; answer: CartEntry };
  /** Give a live call another document: POST /rest/sip/app/call/{uuid} */
  executeSIPControlAppCallExecuteCallFlow: { args: { uuid: string; 'idempotency-key'?: string; file: string | Blob }; answer: Call };
  /** Read the account: GET /rest/account */
  getAccount: { args: Record<never, never>; answer: Account };
  /** Read an account: GET /rest/account/{uuid} */
  getAccountByUUID: { args: { uuid: string }; answer: Account };
  /** Read office hours: GET /rest/account/office_hours/{uuid} */
  getAccountOfficeHours: { args: { uuid: string }; answer: OfficeHours };
  /** List office hours: GET /rest/account/office_hours */
  getAccountOfficeHoursList: { args: { dow?: 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' }; answer: Array<OfficeHours> };
  /** Read an address: GET /rest/address/{uuid} */
  getAddress: { args: { uuid: string }; answer: Address };
  /** List the addresses of the account: GET /rest/address/account */
  getAddressListByAccount: { args: Record<never, never>; answer: Array<Address> };
  /** List the addresses that one wrote oneself: GET /rest/address/user */
  getAddressListByUser: { args: Record<never, never>; answer: Array<Address> };
  /** Read a bulk call: GET /rest/batch/{uuid} */
  getBatch: { args: { uuid: string }; answer: Batch };
  /** Read the blacklist of a TN profile: GET /rest/profile/tn/{uuid}/blacklist */
  getBlacklist: { args: { uuid: string }; answer: Array<string> };
  /** Read a call as it is now: GET /rest/call/sca/{uuid} */
  getCall: { args: { uuid: string }; answer: Call };
  /** List calls that live: GET /rest/call/online */
  getCallsOnline: { args: Record<never, never>; answer: Array<Call> };
  /** List one’s cart: GET /rest/user/cart */
  getCartEntries: { args: Record<never, never>; answer: Array<CartEntry> };
  /** Read oneself: GET /rest/user */
  getCurrentUser: { args: Record<never, never>; answer: User };
  /** Read an order: GET /rest/order/{uuid} */
  getOrderByUUID: { args: { uuid: string }; answer: Order };
  /** Price an order: POST /rest/order/price */
  getOrderPrice: { args: { body: { items: Array<{ tn: number | string; features?: Array<'voice' | 'fax' | 'sms' | 'mms' | 'emergency'>; autorenew?: boolean; voice?: boolean; fax?: boolean; sms?: boolean; mms?: boolean; emergency?: boolean; profile?: string }> } }; answer: OrderPrice };
  /** Read an outbound voice profile: GET /rest/profile/outbound_voice/{uuid} */
  getOutboundVoiceProfileByUUID: { args: { uuid: string }; answer: OutboundVoiceProfile };
  /** Read about a recording: GET /rest/recording/{uuid} */
  getRecording: { args: { uuid: string }; answer: Recording };
  /** Download a recording: GET /rest/recording/{uuid}/file */
  getRecordingFile: { args: { uuid: string }; answer: Blob };
  /** Read a SIP connection: GET /rest/sip/connection/{uuid} */
  getSIPConnectionByUUID: { args: { uuid: string }; answer: SIPConnection };
  /** List products (older path): GET /rest/sip/connection/product */
  getSIPConnectionProductsList: { args: Record<never, never>; answer: Array<Product> };
  /** List numbers of a connection: GET /rest/sip/connection/{uuid}/tnlease */
  getSIPConnectionTNLeasesList: { args: { uuid: string }; answer: Array<Lease> };
  /** Read an app: GET /rest/sip/app/{uuid} */
  getSIPControlAppByUUID: { args: { uuid: string }; answer: App };
  /** Read a call as it is now: GET /rest/sip/app/call/{uuid} */
  getSIPControlAppCall: { args: { uuid: string }; answer: Call };
  /** List calls that live: GET /rest/sip/app/call/online */
  getSIPControlAppCallsList: { args: Record<never, never>; answer: Array<Call> };
  /** Read the document of an app: GET /rest/sip/app/call/flow/{uuid} */
  getSIPControlAppStaticCallFlow: { args: { uuid: string }; answer: CallFlow };
  /** List numbers of an app: GET /rest/sip/app/{uuid}/tnlease */
  getSIPControlAppTNLeasesList: { args: { uuid: string }; answer: Array<Lease> };
  /** Read a SIP domain: GET /rest/sip/domain/{domain} */
  getSIPDomainByDomainName: { args: { domain: string }; answer: SIPDomain };
  /** List one’s groups: GET /rest/app/group */
  getSIPGroupsListApp: { args: Record<never, never>; answer: Array<SIPUserGroup> };
  /** List products: GET /rest/sip/product */
  getSIPProductsList: { args: Record<never, never>; answer: Array<Product> };
  /** Read a switch: GET /rest/sip/domain/{domain}/switch/{uuid} */
  getSIPSwitchByUUID: { args: { domain: string; uuid: string }; answer: SIPSwitch };
  /** Read oneself: GET /rest/app */
  getSIPUserApp: { args: Record<never, never>; answer: SIPUser };
  /** Read a SIP user: GET /rest/sip/domain/{domain}/user/{uuid} */
  getSIPUserByUUID: { args: { domain: string; uuid: string }; answer: SIPUser };
  /** List users of a group: GET /rest/app/group/{uuid}/users */
  getSIPUserGroupUsersApp: { args: { uuid: string }; answer: Array<SIPUser> };
  /** Read an invite: GET /rest/sip/domain/{domain}/invite/{uuid} */
  getSIPUserInviteByUUID: { args: { domain: string; uuid: string }; answer: SIPInvite };
  /** List the users of one’s domain: GET /rest/app/users */
  getSIPUsersWithSameDomainApp: { args: Record<never, never>; answer: Array<SIPUser> };
  /** Read public settings: GET /rest/settings */
  getSettings: { args: Record<never, never>; answer: Settings };
  /** Read the lease of a number: GET /rest/lease/tn/{lease}/tn */
  getTNLeaseByTN: { args: { lease: string }; answer: Lease };
  /** Read a lease: GET /rest/lease/tn/{lease} */
  getTNLeaseByUUID: { args: { lease: string }; answer: Lease };
  /** Where calls of a number go: GET /rest/lease/tn/{lease}/route */
  getTNLeaseRoute: { args: { lease: string }; answer: LeaseRoute };
  /** Read a TN profile: GET /rest/profile/tn/{uuid} */
  getTNProfileByUUID: { args: { uuid: string }; answer: TNProfile };
  /** By which tech prefix a domain sends a number on: GET /rest/sip/tech_prefix/{tn}/{domain} */
  getTechPrefixRoute: { args: { tn: string; domain: string }; answer: TechPrefixRoute };
  /** List API keys: GET /rest/token/list */
  getTokenList: { args: Record<never, never>; answer: Array<APIKey> };
  /** Read a transaction: GET /rest/transaction/{uuid} */
  getTransactionByUUID: { args: { uuid: string }; answer: Transaction };
  /** Sum one kind of transactions by day: GET /rest/transaction/report/dashboard/{ref_type} */
  getTransactionDashboardReport: { args: { from?: string | string; to?: string | string; ref_type: 'payment' | 'tnlease_mrc' | 'tnlease_nrc' | 'tts' | 'sms_incoming' | 'sms_outgoing' | 'sms_nrc' | 'sms_mrc' | 'mms_incoming' | 'mms_outgoing' | 'mms_nrc' | 'mms_mrc' | 'voice_incoming' | 'voice_outgoing' | 'voice_nrc' | 'voice_mrc' | 'fax_incoming' | 'fax_outgoing' | 'fax_nrc' | 'fax_mrc' | 'emergency_incoming' | 'emergency_outgoing' | 'emergency_nrc' | 'emergency_mrc' }; answer: Dashboard };
  /** Sum what was charged and credited: GET /rest/transaction/report/invoice */
  getTransactionInvoiceReport: { args: { from?: string | string; to?: string | string }; answer: Invoice };
  /** Read a user: GET /rest/user/{uuid} */
  getUserByUUID: { args: { uuid: string }; answer: User };
  /** List the users of the account: GET /rest/account/user */
  getUsersByAccount: { args: Record<never, never>; answer: Array<User> };
  /** Read the whitelist of a TN profile: GET /rest/profile/tn/{uuid}/whitelist */
  getWhitelist: { args: { uuid: string }; answer: Array<string> };
  /** Hang a call up: DELETE /rest/call/sca/{uuid} */
  hangUpCall: { args: { uuid: string; 'idempotency-key'?: string }; answer: Call };
  /** List numbers of a bulk call, each with its call: GET /rest/batch/{uuid}/items */
  listBatchItems: { args: { take?: number; skip?: number; state?: 'waiting' | 'ordering' | 'ordered' | 'refused' | 'cancelled'; uuid: string }; answer: { take: number; skip: number; total: number; data: Array<BatchItem> } };
  /** List bulk calls: GET /rest/batch */
  listBatches: { args: { take?: number; skip?: number }; answer: { take: number; skip: number; total: number; data: Array<Batch> } };
  /** List countries: GET /rest/dict/country */
  listDictCountry: { args: Record<never, never>; answer: Array<Country> };
  /** List voices: GET /rest/dict/gtts */
  listDictGTTSVoices: { args: Record<never, never>; answer: Array<Voice> };
  /** List rate centres where numbers can be had: GET /rest/dict/lerg/ratecenters */
  listDictLERGRateCenters: { args: { state?: string; country?: string }; answer: Array<RateCenter> };
  /** List states where numbers can be had: GET /rest/dict/lerg/states */
  listDictLERGStates: { args: { country?: string }; answer: Array<State> };
  /** List time zones: GET /rest/dict/tz */
  listDictTimeZone: { args: Record<never, never>; answer: Array<TimeZone> };
  /** List orders: GET /rest/order */
  listOrders: { args: { take?: number; skip?: number }; answer: { take: number; skip: number; total: number; data: Array<Order> } };
  /** List outbound voice profiles: GET /rest/profile/outbound_voice */
  listOutboundVoiceProfiles: { args: Record<never, never>; answer: Array<OutboundVoiceProfile> };
  /** List recordings: GET /rest/recording */
  listRecordings: { args: { take?: number; skip?: number; until?: string }; answer: { take: number; skip: number; total: number; data: Array<Recording>; total_is_exact: boolean; until: string } };
  /** List SIP connections: GET /rest/sip/connection */
  listSIPConnections: { args: Record<never, never>; answer: Array<SIPConnection> };
  /** List apps: GET /rest/sip/app */
  listSIPControlApps: { args: Record<never, never>; answer: Array<App> };
  /** List SIP domains: GET /rest/sip/domain */
  listSIPDomains: { args: Record<never, never>; answer: Array<SIPDomain> };
  /** List switches of a domain: GET /rest/sip/domain/{domain}/switch */
  listSIPSwitchesBySIPDomainUUID: { args: { domain: string }; answer: Array<SIPSwitch> };
  /** List invites to a domain: GET /rest/sip/domain/{domain}/invite */
  listSIPUserInvites: { args: { domain: string }; answer: Array<SIPInvite> };
  /** List SIP users of a domain: GET /rest/sip/domain/{domain}/user */
  listSIPUsersBySIPDomainUUID: { args: { domain: string }; answer: Array<SIPUser> };
  /** List countries with numbers: GET /rest/tn/search/countries */
  listSearchCountries: { args: Record<never, never>; answer: Array<{ a2: string }> };
  /** List numbers of the account: GET /rest/lease/tn */
  listTNLeases: { args: { take?: number; skip?: number }; answer: { take: number; skip: number; total: number; data: Array<Lease> } };
  /** List TN profiles: GET /rest/profile/tn */
  listTNProfiles: { args: Record<never, never>; answer: Array<TNProfile> };
  /** Change the account: PATCH /rest/account */
  modifyAccount: { args: { body: { name?: string; time_zone?: string; phone?: string | null; address1?: string | null; address2?: string | null; zip_code?: string | null; city?: string | null } }; answer: Account };
  /** Change an outbound voice profile: PATCH /rest/profile/outbound_voice/{uuid} */
  modifyOutboundVoiceProfile: { args: { uuid: string; body: { name?: string; is_active?: boolean; tech_prefix?: number; channel_limit?: number; max_rate?: number; daily_spend_limit?: number; record_calls?: 0 | 1 | 2; filemat?: 'wav' | 'mp3'; audio_track_type?: 0 | 1; shaken_sign_policy?: number; class4_ingress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; product?: number; tn_lease?: string | null; daily_spent_limit?: number } }; answer: OutboundVoiceProfile };
  /** Change a SIP connection: PATCH /rest/sip/connection/{uuid} */
  modifySIPConnection: { args: { uuid: string; body: { name?: string; is_active?: boolean; port?: number; shaken_verify_policy?: number; shaken_minimum_accepted_attest_lvl?: 'A' | 'B' | 'C'; ip?: string | null; hostname?: string | null; product?: number; class4_ingress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; class4_egress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; outbound_voice_profile?: string | null; uuid?: unknown; subdomain?: unknown } }; answer: SIPConnection };
  /** Change an app: PATCH /rest/sip/app/{uuid} */
  modifySIPControlApp: { args: { uuid: string; body: { name?: string; is_active?: boolean; auto_answer?: boolean; webhook_url?: string; webhook_method?: 'GET' | 'POST'; webhook_request_timeout?: number; call_flow_url?: string; call_flow_method?: 'GET' | 'POST'; call_flow_request_timeout?: number; max_call_length_min?: number | null; silence_ms?: number | null; rtp_from_anywhere?: boolean; shaken_verify_policy?: number; shaken_minimum_accepted_attest_lvl?: 'A' | 'B' | 'C'; product?: number; class4_ingress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; class4_egress_trunk_settings?: { media_type?: 'Bypass Media' | 'Proxy Media' | 'Proxy Media + Transcoding' }; outbound_voice_profile?: string | null } }; answer: App };
  /** Change a SIP domain: PATCH /rest/sip/domain/{domain} */
  modifySIPDomainByDomainName: { args: { domain: string; body: { sip_connection?: string | null; sip_control_app?: string | null; outbound_voice_profile?: string | null } }; answer: SIPDomain };
  /** Change a switch: PATCH /rest/sip/domain/{domain}/switch/{uuid} */
  modifySIPSwitch: { args: { domain: string; uuid: string; body: { name?: string; description?: string; remote_ip?: string | string; remote_domain?: string; is_active?: boolean } }; answer: SIPSwitch };
  /** Change a SIP user: PATCH /rest/sip/domain/{domain}/user/{uuid} */
  modifySIPUser: { args: { domain: string; uuid: string; body: { login?: string; password?: string; first_name?: string | null; last_name?: string | null; email?: string | null; phone_number?: string | null; avatar?: string | null; dob?: string | null; gender?: 'Male' | 'Female' | 'Other' | null; same_domain_calls_only?: boolean; is_active?: boolean; tn_lease?: string | null; remote_ip?: unknown } }; answer: SIPUser };
  /** Change oneself: PATCH /rest/app */
  modifySIPUserApp: { args: { body: { first_name?: string | null; last_name?: string | null; email?: string | null; phone_number?: string | null; avatar?: string | null; dob?: string | null; gender?: 'Male' | 'Female' | 'Other' | null; password?: string; same_domain_calls_only?: unknown } }; answer: SIPUser };
  /** Change a group: PATCH /rest/app/group/{uuid} */
  modifySIPUserGroupApp: { args: { uuid: string; body: { name?: string; users?: Array<string> } }; answer: SIPUserGroup };
  /** Change an invite: PATCH /rest/sip/domain/{domain}/invite/{uuid} */
  modifySIPUserInvite: { args: { domain: string; uuid: string; body: { name?: string; expired_on?: string } }; answer: SIPInvite };
  /** Change a lease: PATCH /rest/lease/tn/{lease} */
  modifyTNLease: { args: { lease: string; body: { autorenew?: boolean; voice?: boolean; fax?: boolean; sms?: boolean; mms?: boolean; emergency?: boolean; sip_control_app?: string | null; sip_connection?: string | null; tn_profile?: string | null; messaging_profile?: unknown; messaging_profile_uuid?: unknown } }; answer: Lease };
  /** Change a TN profile: PATCH /rest/profile/tn/{uuid} */
  modifyTNProfile: { args: { uuid: string; body: { name?: string; description?: string } }; answer: TNProfile };
  /** Rename an API key or move its end: PATCH /rest/token/{uuid} */
  modifyToken: { args: { uuid: string; body: { name?: string; ttl?: number } }; answer: APIKey };
  /** Let a deactivated user in again: PUT /rest/account/user/{uuid} */
  reactivateUserAccountByUUID: { args: { uuid: string }; answer: Array<User> };
  /** Become a SIP user by an invite: POST /rest/app/invite/{token} */
  registerSIPUserByInviteApp: { args: { token: string; body: ({ login: string; password: string }) & ({ first_name?: string | null; last_name?: string | null; email?: string | null; phone_number?: string | null; avatar?: string | null; dob?: string | null; gender?: 'Male' | 'Female' | 'Other' | null; same_domain_calls_only?: unknown }) }; answer: SIPUser };
  /** Remove office hours: DELETE /rest/account/office_hours/{uuid} */
  removeAccountOfficeHoursByUUID: { args: { uuid: string }; answer: OfficeHours };
  /** Remove an address: DELETE /rest/address/{uuid} */
  removeAddressByUUID: { args: { uuid: string }; answer: Address };
  /** Remove all API keys of oneself: DELETE /rest/token/all */
  removeAll: { args: Record<never, never>; answer: Record<string, unknown> };
  /** Take the picture of a user away: DELETE /rest/user/{uuid}/avatar */
  removeAvatar: { args: { uuid: string }; answer: User };
  /** Remove an API key: DELETE /rest/token/{token} */
  removeByTokenString: { args: { token: string }; answer: APIKey };
  /** Take one caller off the blacklist of a TN profile: DELETE /rest/profile/tn/{uuid}/blacklist/{number} */
  removeFromBlacklist: { args: { uuid: string; number: string }; answer: Array<string> };
  /** Take one caller off the whitelist of a TN profile: DELETE /rest/profile/tn/{uuid}/whitelist/{number} */
  removeFromWhitelist: { args: { uuid: string; number: string }; answer: Array<string> };
  /** Remove an outbound voice profile: DELETE /rest/profile/outbound_voice/{uuid} */
  removeOutboundVoiceProfileByUUID: { args: { uuid: string }; answer: OutboundVoiceProfile };
  /** Delete a recording: DELETE /rest/recording/{uuid} */
  removeRecording: { args: { uuid: string }; answer: Recording };
  /** Remove a SIP connection: DELETE /rest/sip/connection/{uuid} */
  removeSIPConnectionByID: { args: { uuid: string }; answer: SIPConnection };
  /** Remove an app: DELETE /rest/sip/app/{uuid} */
  removeSIPControlAppByUUID: { args: { uuid: string }; answer: App };
  /** Take the document of an app away: DELETE /rest/sip/app/call/flow/{uuid} */
  removeSIPControlAppStaticCallFlow: { args: { uuid: string }; answer: Record<string, unknown> };
  /** Remove a SIP domain: DELETE /rest/sip/domain/{domain} */
  removeSIPDomainByDomainName: { args: { domain: string }; answer: SIPDomain };
  /** Remove a switch: DELETE /rest/sip/domain/{domain}/switch/{uuid} */
  removeSIPSwitchByUUID: { args: { domain: string; uuid: string }; answer: SIPSwitch };
  /** Remove a SIP user: DELETE /rest/sip/domain/{domain}/user/{uuid} */
  removeSIPUserByUUID: { args: { domain: string; uuid: string }; answer: SIPUser };
  /** Take a user out of a group: DELETE /rest/app/group/{uuid}/users/{sip_user_uuid} */
  removeSIPUserFromSIPUserGroupApp: { args: { uuid: string; sip_user_uuid: string }; answer: SIPUserGroup };
  /** Remove a group: DELETE /rest/app/group/{uuid} */
  removeSIPUserGroupApp: { args: { uuid: string }; answer: SIPUserGroup };
  /** Remove an invite: DELETE /rest/sip/domain/{domain}/invite/{uuid} */
  removeSIPUserInviteByUUID: { args: { domain: string; uuid: string }; answer: SIPInvite };
  /** Give a number back: DELETE /rest/lease/tn/{lease} */
  removeTNLeaseByUUID: { args: { lease: string }; answer: Lease };
  /** Give several numbers back: DELETE /rest/lease/tn */
  removeTNLeases: { args: { body: { item: Array<string | number | string> } }; answer: Array<Lease> };
  /** Remove a TN profile: DELETE /rest/profile/tn/{uuid} */
  removeTNProfileByUUID: { args: { uuid: string }; answer: TNProfile };
  /** Have a password reset mailed: GET /rest/app/password_reset */
  requestSIPUserPasswordResetEmailApp: { args: { email: string; callback?: string }; answer: Record<string, unknown> };
  /** Have a password reset mailed: GET /rest/user/password_reset */
  requestUserPasswordResetEmail: { args: { email: string; callback?: string }; answer: Record<string, unknown> };
  /** Give a live call another document: POST /rest/call/sca/{uuid} */
  runCallDocument: { args: { uuid: string; 'idempotency-key'?: string; file: string | Blob }; answer: Call };
  /** Give an app a document: POST /rest/sip/app/call/flow/{uuid} */
  saveSIPControlAppStaticCallFlow: { args: { uuid: string; file: string | Blob }; answer: CallFlow };
  /** Run a job now: GET /rest/admin/schedule/{action} */
  scheduleAction: { args: { action: string }; answer: { changed: number } };
  /** Search numbers that can be had: POST /rest/tn/search */
  search: { args: { take?: number; skip?: number; page?: number; size?: number; body?: { pattern?: string; abcSearch?: boolean; profile?: string; type?: 'long_code' | 'toll_free'; country?: string; state?: string; province?: string; city?: string; rate_center?: string; rateCenter?: string; npa?: string; nxx?: string; line?: string; features?: Array<'voice' | 'fax' | 'sms' | 'mms' | 'emergency'>; take?: number; skip?: number } }; answer: { take: number; skip: number; total: number; data: Array<OfferedNumber> } };
  /** Search the flow log of an app: POST /rest/sip/app/{uuid}/logs */
  searchCallFlowLogs: { args: { take?: number; skip?: number; until?: string; uuid: string; body?: { name?: string; success?: boolean; call?: string; from?: string; tn?: string | number; created_on_from?: string; created_on_to?: string; modified_on_from?: string; modified_on_to?: string; mode?: 'AND' | 'OR'; order?: { name?: 'ASC' | 'DESC'; from?: 'ASC' | 'DESC'; tn?: 'ASC' | 'DESC'; created_on?: 'ASC' | 'DESC'; modified_on?: 'ASC' | 'DESC' }; take?: number; skip?: number } }; answer: { take: number; skip: number; total: number; data: Array<FlowLogEntry>; total_is_exact: boolean; until: string } };
  /** Search the call log: POST /rest/call/search */
  searchCalls: { args: { take?: number; skip?: number; until?: string; body?: { direction?: 'in' | 'out'; from?: string; to?: string; tn?: string | number; state?: 'online' | 'offline'; sip_control_app?: string; created_on_from?: string; created_on_to?: string; modified_on_from?: string; modified_on_to?: string; mode?: 'AND' | 'OR'; order?: { tn?: 'ASC' | 'DESC'; to?: 'ASC' | 'DESC'; from?: 'ASC' | 'DESC'; state?: 'ASC' | 'DESC'; created_on?: 'ASC' | 'DESC'; modified_on?: 'ASC' | 'DESC' }; take?: number; skip?: number } }; answer: { take: number; skip: number; total: number; data: Array<Call>; total_is_exact: boolean; until: string } };
  /** Search orders: POST /rest/order/search */
  searchOrders: { args: { take?: number; skip?: number; body?: { state?: 'created' | 'verify' | 'processing' | 'success' | 'failed'; take?: number; skip?: number; mode?: 'AND' | 'OR'; order?: { created_on?: 'ASC' | 'DESC'; modified_on?: 'ASC' | 'DESC'; state?: 'ASC' | 'DESC' }; created_on_from?: string; created_on_to?: string; modified_on_from?: string; modified_on_to?: string } }; answer: ({ take: number; skip: number; total: number; data: Array<Order> }) & ({ mode?: 'AND' | 'OR'; order?: Record<string, 'ASC' | 'DESC'> }) };
  /** Search the call log: POST /rest/sip/app/call/search */
  searchSCACalls: { args: { take?: number; skip?: number; until?: string; body?: { direction?: 'in' | 'out'; from?: string; to?: string; tn?: string | number; state?: 'online' | 'offline'; sip_control_app?: string; created_on_from?: string; created_on_to?: string; modified_on_from?: string; modified_on_to?: string; mode?: 'AND' | 'OR'; order?: { tn?: 'ASC' | 'DESC'; to?: 'ASC' | 'DESC'; from?: 'ASC' | 'DESC'; state?: 'ASC' | 'DESC'; created_on?: 'ASC' | 'DESC'; modified_on?: 'ASC' | 'DESC' }; take?: number; skip?: number } }; answer: { take: number; skip: number; total: number; data: Array<Call>; total_is_exact: boolean; until: string } };
  /** Search numbers of the account: POST /rest/lease/tn/search */
  searchTNLeases: { args: { take?: number; skip?: number; body?: { tn?: string; autorenew?: boolean; sip_control_app?: string; sip_connection?: string; sip_connections_skip?: Array<string>; take?: number; skip?: number; mode?: 'AND' | 'OR'; order?: { tn?: 'ASC' | 'DESC'; created_on?: 'ASC' | 'DESC'; modified_on?: 'ASC' | 'DESC' }; created_on_from?: string; created_on_to?: string; modified_on_from?: string; modified_on_to?: string } }; answer: ({ take: number; skip: number; total: number; data: Array<Lease> }) & ({ mode?: 'AND' | 'OR'; order?: Record<string, 'ASC' | 'DESC'> }) };
  /** Search transactions: POST /rest/transaction/search */
  searchTransactions: { args: { take?: number; skip?: number; body?: { ref_type?: 'payment' | 'tnlease_mrc' | 'tnlease_nrc' | 'tts' | 'sms_incoming' | 'sms_outgoing' | 'sms_nrc' | 'sms_mrc' | 'mms_incoming' | 'mms_outgoing' | 'mms_nrc' | 'mms_mrc' | 'voice_incoming' | 'voice_outgoing' | 'voice_nrc' | 'voice_mrc' | 'fax_incoming' | 'fax_outgoing' | 'fax_nrc' | 'fax_mrc' | 'emergency_incoming' | 'emergency_outgoing' | 'emergency_nrc' | 'emergency_mrc'; ref_uuid?: string; amount?: number; account_balance_before?: number; account_balance_after?: number; description?: string; take?: number; skip?: number; mode?: 'AND' | 'OR'; order?: { created_on?: 'ASC' | 'DESC'; amount?: 'ASC' | 'DESC'; ref_type?: 'ASC' | 'DESC'; account_balance_after?: 'ASC' | 'DESC' }; created_on_from?: string; created_on_to?: string; modified_on_from?: string; modified_on_to?: string } }; answer: ({ take: number; skip: number; total: number; data: Array<Transaction> }) & ({ mode?: 'AND' | 'OR'; order?: Record<string, 'ASC' | 'DESC'> }) };
  /** Read the voices again: GET /rest/admin/system/dict_gtts_reload */
  systemDICTGTTSReload: { args: Record<never, never>; answer: { voices: number } };
  /** Give an account numbers without an order: POST /rest/admin/tnlease/create */
  tnleaseCreate: { args: { body: { tns: Array<number | string>; autorenew?: boolean; account?: string; tn_profile?: unknown; messaging_profile?: unknown } }; answer: Array<{ uuid: string; tn: number }> };
  /** Change office hours: PATCH /rest/account/office_hours/{uuid} */
  updateAccountOfficeHours: { args: { uuid: string; body: { type?: 'nonworking' | 'lunchtime' | 'coffeebreak' | 'weekends'; dow?: 'sun' | 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat'; time_from?: number; time_to?: number; name?: string | null } }; answer: OfficeHours };
  /** Change an address: PATCH /rest/address/{uuid} */
  updateAddress: { args: { uuid: string; body: { name?: string; is_physical?: boolean; is_billing?: boolean; is_shipping?: boolean; address1?: string; zip_code?: string; city?: string; country?: string; address2?: string | null } }; answer: Address };
  /** Change a user: PATCH /rest/user/{uuid} */
  updateUserByUUID: { args: { uuid: string; body: { email?: string; password?: string; phone_number?: string; first_name?: string; last_name?: string; gender?: 'Male' | 'Female' | 'Other'; dob?: string; avatar?: string; role?: 'Admin' | 'User' | 'Provider' } }; answer: User };
  /** Change what is in one’s cart: PATCH /rest/user/cart/{uuid} */
  updateUserCartEntry: { args: { uuid: string; body: { payload: Record<string, unknown>; ttl?: number } }; answer: CartEntry };
  /** Give a user a picture: POST /rest/user/{uuid}/avatar */
  uploadAvatar: { args: { uuid: string; file: string | Blob }; answer: User };
  /** Upload numbering data: POST /rest/dict/lerg */
  uploadDictLERG: { args: { file: string | Blob }; answer: { accepted: number; failed: number; total: number; errors: Array<{ line: number; reason: string }> } };
  /** Give oneself a picture: POST /rest/app/avatar */
  uploadSIPUserAvatarApp: { args: { file: string | Blob }; answer: SIPUser };
  /** Verify an e-mail address: POST /rest/user/verification */
  verifyUserEmail: { args: { body: { email: string; password: string; token: string } }; answer: User };
};
