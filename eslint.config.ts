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
const folders =
  'storage limits cost preserve job plan copy finish verify undo report estimate dry-run hdfs disk endpoints doctor machine aws hadoop-conf'.split(
    ' ',
  );
const outside = ['undici', 'node:http', 'node:https', 'node:net', 'node:tls', 'node:fs*', 'node:sqlite', '@aws-sdk/*'];

/** A folder of shared/ and what it may import: other folders there, and what reaches outside of the process. */
const inside = (folder: string, knows: readonly string[], reaches: readonly string[] = []): Linter.Config =>
  layer(
    [`shared/${folder}/**`],
    [
      ...entryPoints,
      ...folders.filter((other) => other !== folder && !knows.includes(other)).map((other) => `**/${other}/**`),
      ...outside.filter((module) => !reaches.includes(module)),
    ],
    `shared/${folder} knows ${knows.length > 0 ? knows.map((other) => `shared/${other}`).join(', ') : 'no other folder of shared/'}`,
  );

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
  inside('storage', []),
  inside('preserve', ['storage']),
  inside('limits', ['storage']),
  inside('cost', []),
  inside('job', ['storage', 'limits', 'cost', 'preserve']),
  inside('plan', ['storage', 'preserve', 'job']),
  inside('copy', ['storage', 'limits', 'preserve', 'job']),
  inside('finish', ['storage', 'preserve', 'job', 'plan']),
  inside('verify', ['storage', 'limits', 'preserve', 'job', 'plan', 'copy']),
  inside('undo', ['storage', 'preserve', 'job']),
  inside('report', ['storage', 'limits', 'preserve', 'job']),
  inside('estimate', ['storage', 'cost', 'preserve', 'job', 'plan']),
  inside('dry-run', ['storage', 'preserve', 'job', 'plan', 'copy', 'finish']),
  inside(
    'hdfs',
    ['storage', 'limits'],
    ['undici', 'node:http', 'node:https', 'node:net', 'node:tls', 'node:fs*', 'node:sqlite'],
  ),
  inside('disk', ['storage'], ['node:fs*']),
  inside('hadoop-conf', [], ['node:fs*']),
  inside('endpoints', ['storage', 'limits', 'job', 'hdfs', 'disk']),
  inside('doctor', ['storage', 'hdfs'], ['node:net', 'node:tls', 'node:fs*']),
  inside(
    'machine',
    ['storage', 'limits', 'cost', 'preserve', 'job', 'plan', 'copy', 'finish', 'verify', 'estimate', 'endpoints'],
    ['node:fs*', 'node:sqlite'],
  ),
  layer(
    ['functions/**'],
    ['**/cli/**', '**/infra/**', '**/machine/**', '**/disk/**', 'undici'],
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
