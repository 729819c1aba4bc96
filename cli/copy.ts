import { jobStatus } from '../shared/job/job-status.ts';
import { refuseAtOnce, resolveMapping } from '../shared/plan/mapping.ts';
import { SpecError } from '../shared/errors.ts';
import { openState } from '../shared/machine/state.ts';
import { endpointsOf } from './clusters.ts';
import { dryRun, tellHidden } from './dry-run.ts';
import { exitCodes, explain } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { newJobId } from './job-id.ts';
import { openLog } from './logging.ts';
import { type CopyFlags, type GivenFlags, specOf } from './options.ts';
import { printError, printStatus, readerGone } from './output.ts';
import { changesOf, eachUnfinished, resumable, takeUp } from './resume.ts';
import { runJob } from './run-job.ts';
import { newJob } from '../shared/job/job.ts';

/** `hdfs-fanout copy`: starts or resumes a job in this process. @returns the exit code */
export async function copy(paths: readonly string[], flags: CopyFlags, given: GivenFlags): Promise<number> {
  const interrupt = interruptSignal();
  const showing = AbortSignal.any([interrupt, readerGone]);
  const log = openLog(flags.logFile, flags.verbose);
  try {
    if (flags.resume !== undefined) {
      if (paths.length > 0) throw new SpecError('--resume takes no paths', 'the job knows its own');
      const state = openState();
      const job = await resumable(state, flags.resume, flags, given);
      if (job.outcome === 'Successful') {
        printStatus(jobStatus(job, await state.store.counters(job.id)), flags.json);
        return exitCodes.success;
      }
      await using endpoints = await endpointsOf(job.spec, flags.conf, log);
      if (!flags.dryRun) {
        const begin = () => takeUp(state, job, changesOf(flags, given), endpoints, interrupt);
        return await runJob(job, state, endpoints, flags, log, interrupt, begin);
      }
      if (job.phase === 'planning') return await dryRun(job.spec, job.roots, endpoints, flags.json, showing);
      const { spec, roots } = job;
      const unfinished: Parameters<typeof dryRun>[5] = (emit) => eachUnfinished(job, state, endpoints, emit, showing);
      return await dryRun(spec, roots, endpoints, flags.json, showing, unfinished);
    }
    const spec = specOf(paths, flags);
    await using endpoints = await endpointsOf(spec, flags.conf, log);
    const { patterns, destinationPath, source, destination } = endpoints;
    refuseAtOnce(source, destination, patterns, destinationPath);
    const hidden: string[] = [];
    const roots = await resolveMapping(spec, patterns, destinationPath, source, destination, interrupt, {
      makeProbe: !flags.dryRun,
      onHidden: (path) => hidden.push(path),
    });
    if (flags.dryRun) tellHidden(hidden, flags.json);
    if (flags.dryRun) return await dryRun(spec, roots, endpoints, flags.json, showing);
    const state = openState();
    const startedAtMs = Date.now();
    const job = newJob(newJobId(startedAtMs), spec, roots, startedAtMs);
    return await runJob(job, state, endpoints, flags, log, interrupt, async () => {
      await state.store.create(job);
      return job;
    });
  } catch (error) {
    if (interrupt.aborted) {
      printError('interrupted: nothing was changed', flags.json);
      return exitCodes.interrupted;
    }
    if (flags.dryRun && readerGone.aborted) return exitCodes.success;
    const { message, code } = explain(error);
    printError(message, flags.json);
    return code;
  }
}
