import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { deploymentSchema } from '../infra/config.ts';
import { clustersFileSchema } from '../shared/hdfs/cluster.ts';
import { jobSpecSchema } from '../shared/job/spec.ts';
import { reportSchema } from '../shared/report/report.ts';

interface Exported {
  readonly title: string;
  readonly schema: z.ZodType;
  readonly override?: typeof allowComments;
}

/** Writes the JSON Schemas of what users type, and of what programs read; with --check, fails when the files are not what the code says. */
const schemas = {
  'docs/job.schema.json': { title: 'A copy job of hdfs-fanout', schema: jobSpecSchema },
  'docs/clusters.schema.json': {
    title: 'Cluster configuration of hdfs-fanout and pywhdfs',
    schema: clustersFileSchema,
  },
  'docs/report.schema.json': {
    title: 'The report of a job, as hdfs-fanout report --json tells it',
    schema: reportSchema,
  },
  'docs/deployment.schema.json': {
    title: 'A deployment of hdfs-fanout on AWS',
    schema: deploymentSchema,
    override: allowComments,
  },
};

/** A field named "//" is a comment anywhere in a deployment file. */
function allowComments({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.type !== 'object') return;
  jsonSchema.patternProperties = { '^//$': { type: 'string' } };
  const { propertyNames } = jsonSchema;
  if (typeof propertyNames === 'object') propertyNames.enum?.push('//');
}

for (const [file, { title, schema, override }] of Object.entries<Exported>(schemas)) {
  const json = { ...z.toJSONSchema(schema, { io: 'input', ...(override ? { override } : {}) }), title };
  const text = await format(JSON.stringify(json), { ...(await resolveConfig(file)), parser: 'json' });
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8')) !== text) {
    console.error(`${file} is out of date: run node scripts/schemas.ts`);
    process.exitCode = 1;
  }
}
