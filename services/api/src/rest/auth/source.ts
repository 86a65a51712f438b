/** Where a request comes from, as attempts are counted. */
import { sourceOf as shareOf } from '@opentact/runtime';

/** @param ip as the socket or a trusted proxy says it; what is no address stands for itself */
export const sourceOf = (ip: string): string => `address ${shareOf(ip)}`;
