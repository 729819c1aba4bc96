import { LocalJob, stalling } from './local-job.ts';

/** `node local-runner.ts TOP`: runs the job that a test has made there, in a process that can be killed: it stops half-way. */
const [, , top] = process.argv;
const local = new LocalJob(top);
await local.run({ state: stalling(local.state, 61).state });
