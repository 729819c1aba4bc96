import { chmod } from 'node:fs/promises';
import { build } from 'esbuild';

/** Bundles the command line; its libraries stay dependencies of the package. */
await build({
  entryPoints: { cli: 'cli/main.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});
await chmod('bin/hdfs-fanout.js', 0o755);
