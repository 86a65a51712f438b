/** The steps that make api's tables. A step that was released is never changed: what is to be otherwise is a step more. */
import type { Migration } from 'kysely/migration';
import { directory } from './migrations/001-directory.ts';
import { placesAndGroups } from './migrations/002-places-and-groups.ts';
import { users } from './migrations/003-people.ts';
import { numbers } from './migrations/004-numbers.ts';
import { callLog } from './migrations/005-call-log.ts';
import { profiles } from './migrations/006-profiles.ts';
import { connections } from './migrations/007-connections.ts';
import { domains } from './migrations/008-domains.ts';
import { money } from './migrations/010-money.ts';
import { identity } from './migrations/011-identity.ts';
import { people } from './migrations/012-people.ts';
import { charges } from './migrations/013-charges.ts';
import { sipPasswordReset } from './migrations/014-sip-password-reset.ts';
import { orderedCalls } from './migrations/015-ordered-calls.ts';
import { batchTries } from './migrations/016-batch-tries.ts';
import { logPages } from './migrations/018-log-pages.ts';
import { endUserAvatars } from './migrations/019-end-user-avatars.ts';
import { liveCalls } from './migrations/020-live-calls.ts';
import { dueBatches } from './migrations/021-due-batches.ts';
import { trunkAccounts } from './migrations/022-trunk-accounts.ts';
import { trunkEndpoints } from './migrations/023-trunk-endpoints.ts';
import { paidAhead } from './migrations/024-paid-ahead.ts';
import { appMedia } from './migrations/025-app-media.ts';
import { quarantine } from './migrations/026-quarantine.ts';
import { accountAddresses } from './migrations/027-account-addresses.ts';
import { peerCalls } from './migrations/028-peer-calls.ts';
import { verificationSources } from './migrations/029-verification-sources.ts';
import { callView } from './migrations/030-call-view.ts';
import { accountProfile } from './migrations/031-account-profile.ts';
import { logSearch } from './migrations/032-log-search.ts';
import { stories } from './migrations/033-stories.ts';
import { logCursors } from './migrations/034-log-cursors.ts';
import { endedCalls } from './migrations/035-ended-calls.ts';
import { followedLog } from './migrations/036-followed-log.ts';
import { flowLogNumbers } from './migrations/037-flow-log-numbers.ts';

export const MIGRATIONS: Record<string, Migration> = {
  '001-directory': directory,
  '002-places-and-groups': placesAndGroups,
  '003-people': users,
  '004-numbers': numbers,
  '005-call-log': callLog,
  '006-profiles': profiles,
  '007-connections': connections,
  '008-domains': domains,
  '010-money': money,
  '011-identity': identity,
  '012-people': people,
  '013-charges': charges,
  '014-sip-password-reset': sipPasswordReset,
  '015-ordered-calls': orderedCalls,
  '016-batch-tries': batchTries,
  '018-log-pages': logPages,
  '019-end-user-avatars': endUserAvatars,
  '020-live-calls': liveCalls,
  '021-due-batches': dueBatches,
  '022-trunk-accounts': trunkAccounts,
  '023-trunk-endpoints': trunkEndpoints,
  '024-paid-ahead': paidAhead,
  '025-app-media': appMedia,
  '026-quarantine': quarantine,
  '027-account-addresses': accountAddresses,
  '028-peer-calls': peerCalls,
  '029-verification-sources': verificationSources,
  '030-call-view': callView,
  '031-account-profile': accountProfile,
  '032-log-search': logSearch,
  '033-stories': stories,
  '034-log-cursors': logCursors,
  '035-ended-calls': endedCalls,
  '036-followed-log': followedLog,
  '037-flow-log-numbers': flowLogNumbers,
};
