/** How tests measure work on a machine that is busy with other things. */

/** Processor time that this thread has used so far, ms: what else the machine does meanwhile isn't in it. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
