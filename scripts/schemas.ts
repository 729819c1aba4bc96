import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { jobSpecSchema } from '../shared/copy/spec.ts';
import { clustersFileSchema } from '../shared/hdfs/cluster.ts';

/** Writes the JSON Schemas of what users type; with --check, fails when the files are not what the code says. */
const schemas = {
  'docs/job.schema.json': { title: 'A copy job of hdfs-fanout', schema: jobSpecSchema },
  'docs/clusters.schema.json': {
    title: 'Cluster configuration of hdfs-fanout and pywhdfs',
    schema: clustersFileSchema,
  },
};

for (const [file, { title, schema }] of Object.entries(schemas)) {
  const json = { ...z.toJSONSchema(schema, { io: 'input' }), title };
  const text = await format(JSON.stringify(json), { ...(await resolveConfig(file)), parser: 'json' });
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8')) !== text) {
    console.error(`${file} is out of date: run node scripts/schemas.ts`);
    process.exitCode = 1;
  }
}
