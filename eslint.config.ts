import type { Linter } from 'eslint';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What a folder may not import, with the reason printed beside the violation (docs/architecture.md, "Arrows"). */
const layer = (files: string[], group: string[], message: string, allowTypeImports = false): Linter.Config => ({
  files,
  rules: {
    '@typescript-eslint/no-restricted-imports': ['error', { patterns: [{ group, message, allowTypeImports }] }],
  },
});

const entryPoints = ['**/cli/**', '**/functions/**', '**/infra/**'];
const network = ['undici', 'node:http', 'node:https', 'node:net', 'node:tls', '@aws-sdk/*'];

export default defineConfig(
  { ignores: ['dist', 'node_modules', '.bed', 'cdk.out', '**/*.js'] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
    },
  },
  layer(
    ['shared/copy/**'],
    [
      ...entryPoints,
      ...network,
      'node:fs*',
      'node:sqlite',
      '**/local/**',
      '**/aws/**',
      '**/hdfs/*',
      '!**/hdfs/filesystem.ts',
      '!**/hdfs/checksum.ts',
      '!**/hdfs/path.ts',
      '!**/hdfs/acl.ts',
    ],
    'shared/copy sees storage only through hdfs/filesystem.ts and the pure hdfs/acl.ts, hdfs/checksum.ts and hdfs/path.ts',
  ),
  layer(
    ['shared/hdfs/**'],
    [...entryPoints, '**/copy/**', '**/local/**', '**/aws/**', '@aws-sdk/*'],
    'shared/hdfs is the protocol: it knows no copy engine',
  ),
  layer(
    ['shared/doctor/**'],
    [...entryPoints, '**/copy/**', '**/local/**', '**/aws/**', '@aws-sdk/*', 'undici', 'node:http', 'node:https'],
    'shared/doctor asks a cluster through shared/hdfs, or by a bare socket',
  ),
  layer(['shared/local/**'], [...entryPoints, ...network, '**/aws/**'], 'shared/local holds embedded parts only'),
  layer(
    ['functions/**'],
    ['**/cli/**', '**/infra/**', '**/local/**', 'undici'],
    'functions are thin: the work is in shared/',
  ),
  layer(
    ['infra/**'],
    ['**/cli/**', '**/functions/**', '**/shared/**', '!**/shared/names.ts', '@aws-sdk/*'],
    'infra shares with the runtime only shared/names.ts, and types',
    true,
  ),
  layer(['cli/**'], ['**/functions/**', '**/infra/**', 'undici', '@aws-sdk/*'], 'cli calls shared/'),
  { files: ['test/**', 'bench/**', 'demo/**', 'scripts/**'], rules: { 'no-console': 'off' } },
);
