// The sessions of one worker by call and leg. It refuses a second session of the same leg.
import type { Session } from '../session/session.ts';

export class Registry {
  private readonly calls = new Map<string, Map<number, Session>>();
  legs = 0;

  find(callId: string, leg: number): Session | undefined {
    return this.calls.get(callId)?.get(leg);
  }

  ofCall(callId: string): Session[] {
    return [...(this.calls.get(callId)?.values() ?? [])];
  }

  get callIds(): string[] {
    return [...this.calls.keys()];
  }

  has(callId: string): boolean {
    return this.calls.has(callId);
  }

  add(callId: string, session: Session): void {
    const legs = this.calls.get(callId) ?? new Map<number, Session>();
    if (legs.has(session.leg)) throw new Error(`call ${callId}: leg ${session.leg} has a session already`);
    legs.set(session.leg, session);
    this.calls.set(callId, legs);
    this.legs++;
  }

  remove(callId: string, session: Session): void {
    const legs = this.calls.get(callId);
    if (!legs?.delete(session.leg)) return;
    this.legs--;
    if (legs.size === 0) this.calls.delete(callId);
  }
}
