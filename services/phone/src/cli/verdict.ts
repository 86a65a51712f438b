/** How a call ended, in one line and an exit code: what nobody tells is unknown, and no success. */
import type { PhoneCall } from '../phone-call.ts';

/** 0: the call ended normally; 1: it failed; 3: nobody could say. (2 is a command that was called wrongly.) */
type Verdict = { code: 0 | 1 | 3; line: string };

/** @param ending what the platform says of it; undefined where it can't be asked, or knows no ending. */
export function verdictOn(
  call: Pick<PhoneCall, 'platformCallId' | 'answeredAt' | 'ended'>,
  ending: { owner: string; reason: string } | undefined,
  { to, heardEnd }: { to: string; heardEnd: boolean },
): Verdict {
  const { platformCallId, answeredAt, ended } = call;
  const of = `   call ${platformCallId || 'never began'}`;
  if (ending) {
    const isNormal = answeredAt > 0 && heardEnd && !['us', 'customer-server'].includes(ending.owner);
    const unheard = heardEnd ? '' : ', and the phone was not told (no BYE)';
    return {
      code: isNormal ? 0 : 1,
      line: `${isNormal ? 'Ended' : 'Failed'}: ${ending.reason} (owner: ${ending.owner})${unheard}${of}`,
    };
  }
  if (!platformCallId || (ended && ended.status >= 300)) {
    const how = `SIP ${ended?.status || 'silence'}${ended?.status === 404 ? `, nobody has ${to}` : ''}`;
    return { code: 1, line: `Failed: ${how}${of}` };
  }
  return { code: 3, line: `Ended: unknown; nobody could say how${of}` };
}
