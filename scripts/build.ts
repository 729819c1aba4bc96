import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { lambdaNames } from '../shared/names.ts';
import { manPage } from './man.ts';

await rm('dist', { recursive: true, force: true });
/** Bundles the command line and the construct; their libraries stay dependencies of the package. */
await build({
  entryPoints: { cli: 'cli/main.ts', infra: 'infra/index.ts' },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  packages: 'external',
  splitting: true,
  sourcemap: true,
  logLevel: 'warning',
});
/** Modules that the Lambdas' bundles replace, since they run on one architecture alone. */
const standIns = { '@node-rs/crc32': './functions/crc32.ts' };
await build({
  entryPoints: lambdaNames.map((name) => ({
    in: `functions/${name}.ts`,
    out: `${name}/index`,
  })),
  outdir: 'dist/functions',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  mainFields: ['module', 'main'],
  alias: standIns,
  // CommonJS libraries call `require`, which an ES module does not have.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  logLevel: 'warning',
});
/** The construct's types, for `hdfs-fanout/infra`. */
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.infra.json'], { stdio: 'inherit' });
/** The manual page, of the defaults that no environment changes. */
delete process.env['HDFS_FANOUT_STACK'];
const { program } = await import('../cli/program.ts');
await mkdir('dist/man', { recursive: true });
await writeFile('dist/man/hdfs-fanout.1', manPage(program));
await chmod('bin/hdfs-fanout.js', 0o755);
