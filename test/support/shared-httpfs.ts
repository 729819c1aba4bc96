import type { TestProject } from 'vitest/node';
import { startHttpFs } from './httpfs.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of an HttpFS before cluster A. */
    httpFs: string;
  }
}

/** Starts an HttpFS before cluster A for all test files. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const httpFs = await startHttpFs(project.getProvidedContext().bed.sitesA);
  project.provide('httpFs', httpFs.url);
  return () => httpFs.stop();
}
