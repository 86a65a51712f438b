// A worker thread: its sessions, its messages, its load twice a second. It refuses to do anything slow.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { PortPool } from '../session/port-pool.ts';
import { LegLimit } from './leg-limit.ts';
import { MediaSessions } from './media-sessions.ts';
import type { FromWorker, ToWorker, WorkerData } from './messages.ts';

const LOAD_EVERY_MS = 500;
/** Late audio is lost audio; everything else on the machine can wait 2 ms. */
const NICE = -10;

try {
  // Of this thread only: Linux keeps niceness per thread. Most accounts may not; then it is as it was.
  setPriority(NICE);
} catch {
  // No privilege, no harm.
}

const data = workerData as WorkerData;
const ports = new PortPool(data.firstPort, data.lastPort, Math.random());
const say = (message: FromWorker) => parentPort?.postMessage(message);
const limit = new LegLimit({ first: data.legsFirst, most: data.legsMost });
const sessions = new MediaSessions({
  ...data,
  legsMax: () => limit.legs,
  ports,
  report: (callId, fact) => say({ kind: 'fact', callId, fact }),
  diskFailed: (callId, recordingId, { message }) => say({ kind: 'disk-failed', callId, recordingId, cause: message }),
});

let seen = { frames: 0, late: 0 };

function sayLoad(): void {
  const { frames, late, heardLate, dropped, worstMs } = sessions.pacer.figures;
  const now = { frames: frames + dropped, late: heardLate + dropped };
  limit.learn({ frames: now.frames - seen.frames, late: now.late - seen.late }, sessions.registry.legs);
  seen = now;
  const lateShare = frames === 0 ? 0 : (late + dropped) / (frames + dropped);
  const { legs } = sessions.registry;
  say({ kind: 'load', load: { legs, legsMax: limit.legs, freePorts: ports.available, lateShare, worstMs } });
}

const loads = setInterval(sayLoad, LOAD_EVERY_MS);
sayLoad();

parentPort?.on('message', async (message: ToWorker) => {
  switch (message.kind) {
    case 'ask':
      await sessions.ask(message.ask);
      break;
    case 'piece':
      await sessions.piece(message.callId, message.leg, message.play, message.index, message.piece);
      break;
    case 'drop':
      await sessions.drop(message.callId);
      break;
    case 'disk':
      sessions.diskIs(message.isFull);
      break;
    case 'leave':
      await sessions.leave();
      say({ kind: 'left' });
      break;
    case 'close':
      await sessions.shut();
      clearInterval(loads);
      parentPort?.close();
  }
});
