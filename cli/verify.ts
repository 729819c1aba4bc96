import { messageOf } from '../shared/errors.ts';
import { hasList, type JobSpec } from '../shared/job/spec.ts';
import type { VerifyLevel } from '../shared/job/verification.ts';
import type { Log } from '../shared/log.ts';
import { withSmallHeap } from '../shared/memory.ts';
import { linesFile } from '../shared/machine/lines-file.ts';
import { threadsHere } from '../shared/machine/shared-transfers.ts';
import { Comparisons } from '../shared/verify/comparisons.ts';
import type { Finding } from '../shared/verify/finding.ts';
import { rootsToVerify } from '../shared/verify/roots.ts';
import { Tally } from '../shared/verify/tally.ts';
import { verifyTrees } from '../shared/verify/verify-trees.ts';
import { type ClusterEndpoints, endpointsOf } from './clusters.ts';
import { exitCodes, explain } from './exit-codes.ts';
import { interruptSignal } from './interrupt.ts';
import { listOnDisk } from './list-input.ts';
import { openLog } from './logging.ts';
import { type TreeFlags, verifySpecOf } from './options.ts';
import { printError, printEvent, readerGone } from './output.ts';
import { requirePlace } from './place.ts';
import { mayRewriteLines, showLine } from './progress-display.ts';
import { findingsText, SHOWN, summaryText, verifyCodes } from './verify-text.ts';

export interface VerifyFlags extends TreeFlags {
  level: VerifyLevel;
  oneWay: boolean;
  report?: string;
  /** True where it is not named. */
  stack?: string | true;
  conf?: string;
  json: boolean;
  silent: boolean;
  verbose: number;
  logFile?: string;
}

/** `hdfs-fanout verify SOURCE DESTINATION`: holds two trees against each other and changes nothing. @returns the exit code */
export async function verify(source: string, destination: string, flags: VerifyFlags): Promise<number> {
  const interrupt = interruptSignal();
  const isJson = flags.json || flags.report === '-';
  const file = flags.report === '-' ? undefined : flags.report;
  const spec = verifySpecOf(source, destination, flags);
  if (file !== undefined) requirePlace('--report', file);
  const log = openLog(flags.logFile, flags.verbose);
  // A report that goes into a file is wanted also by who does not watch.
  const signal = file === undefined ? AbortSignal.any([interrupt, readerGone]) : interrupt;
  const tell = (error: unknown): number => {
    if (interrupt.aborted) {
      printError('interrupted: it is not told whether the trees are equal', isJson);
      return exitCodes.interrupted;
    }
    if (signal.aborted) return exitCodes.stopped;
    const { message, code } = explain(error);
    printError(message, isJson);
    return code;
  };
  let endpoints: ClusterEndpoints | undefined;
  let code: number;
  try {
    endpoints = await endpointsOf(spec, flags.conf, log);
    code = await examine(spec, endpoints, { ...flags, json: isJson, file }, log, signal);
  } catch (error) {
    code = tell(error);
  }
  // What was found stands, whatever becomes of connections and tokens.
  try {
    await endpoints?.[Symbol.asyncDispose]();
  } catch (error) {
    log.warn({ error: messageOf(error) }, 'the clusters could not be closed');
  }
  return code;
}

async function examine(
  spec: JobSpec,
  { source, patterns, destination, destinationPath }: ClusterEndpoints,
  { level, oneWay, json, silent, verbose, file }: VerifyFlags & { readonly file: string | undefined },
  log: Log,
  signal: AbortSignal,
): Promise<number> {
  const began = Date.now();
  const { options } = spec;
  const roots = await rootsToVerify(options, patterns[0] ?? '/', destinationPath, source, destination, signal);
  using list = hasList(options) ? await listOnDisk(options.filesFrom, roots[0]?.source ?? '/', signal) : undefined;
  using comparisons = new Comparisons(threadsHere({ spec }, source, destination), [source, destination], log, signal);
  const tally = new Tally();
  const report = file === undefined ? undefined : await linesFile(file);
  const shown: Finding[] = [];
  const onFinding = async (finding: Finding) => {
    if (json) printEvent(finding.type, finding);
    else if (shown.length < SHOWN) shown.push(finding);
    await report?.add(finding);
  };
  const showFindings = () => {
    if (shown.length === 0) return '';
    const where = file === undefined ? '--report FILE tells of all' : file;
    return `${findingsText(shown, tally.findings - shown.length, where)}\n`;
  };
  const isShown = !silent && !json;
  const display = isShown
    ? showLine((width) => progressText(tally, width), mayRewriteLines() && verbose === 0)
    : undefined;
  try {
    const trees = { source, destination, roots, options, level, oneWay, list };
    const work = () => verifyTrees({ ...trees, comparisons, tally, signal, onFinding });
    const summary = await (level === 'read-back' ? work() : withSmallHeap(work));
    const told = {
      ...summary,
      source: spec.source[0],
      destination: spec.destination,
      startedAt: new Date(began).toISOString(),
      endedAt: new Date().toISOString(),
    };
    await report?.add({ type: 'summary', ...told });
    await report?.close();
    display?.stop();
    if (json) printEvent('summary', told);
    else process.stdout.write(`${showFindings()}${summaryText(summary, (Date.now() - began) / 1000)}`);
    return verifyCodes[summary.outcome];
  } catch (error) {
    display?.stop();
    // What was found is so, however it ended.
    process.stdout.write(showFindings());
    await report?.discard();
    throw error;
  }
}

function progressText({ compared, findings }: Tally, width = Infinity): string {
  return `verifying: ${compared} files compared, ${findings} findings so far`.slice(0, Math.max(0, width));
}
