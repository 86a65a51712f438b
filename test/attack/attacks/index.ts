/** Every attack, in the order of services/SECURITY.md. */
import type { Attack } from '../attack.ts';
import { DOCUMENTS } from './documents.ts';
import { FLOODS } from './floods.ts';
import { IDENTITY } from './identity.ts';
import { JOURNAL } from './journal.ts';
import { MEDIA } from './media.ts';
import { MONEY } from './money.ts';
import { SECRETS } from './secrets.ts';

const ALL = [...DOCUMENTS, ...JOURNAL, ...FLOODS, ...IDENTITY, ...MONEY, ...MEDIA, ...SECRETS];

export const ATTACKS: Attack[] = ALL.sort((a, b) => Number(a.item) - Number(b.item));
