import { describe, expect, it } from 'vitest';
import { requestOf } from '../../../cli/distcp.ts';
import { locationOf } from '../../../cli/distcp/uri.ts';
import { program } from '../../../cli/program.ts';
import { parseClusters } from '../../../shared/hdfs/cluster.ts';

const copy = program.commands.find((command) => command.name() === 'copy') ?? program;
const read = (line: string) => requestOf(line.split(' '), copy);
const flagsOf = (line: string) =>
  read(line)
    .wish.meanings.flatMap(({ flags }) => flags)
    .join(' ');

describe("DistCp's options", () => {
  it.each([
    ['-p', '--attributes replication,blocksize,owner,group,permission,times'],
    ['-pugp', '--attributes owner,group,permission'],
    ['-pe', '--attributes ecpolicy'],
    ['-prbugpcaxte', '--attributes replication,blocksize,owner,group,permission,acl,xattr,times,ecpolicy'],
    ['-pc', ''],
    ['-m 50', '--threads 50'],
    ['-m50', '--threads 50'],
    ['-m=50', '--threads 50'],
    ['--m 50', '--threads 50'],
    ['-m 0', '--threads 1'],
    ['-bandwidth 10', '--bandwidth 200M'],
    ['-bandwidth 0.5 -m 3', '--bandwidth 1.5M --threads 3'],
    ['-blocksperchunk 4', '--split-above 536870912 --chunk-size 536870912'],
    ['-blocksperchunk 0', '--split-above 0'],
    ['-update -skipcrccheck', '--compare size'],
    ['-skipcrccheck', ''],
    ['-update -delete', '--delete'],
    ['-filters /etc/out.txt -direct', '--filters /etc/out.txt --direct'],
    ['-overwrite -xtrack missing.jsonl', '--track-missing missing.jsonl'],
    ['-overwrite -xtrack file:///tmp/missing.jsonl', '--track-missing /tmp/missing.jsonl'],
    ['-i', '--max-failures 1000000000'],
    ['-log /logs -v', '-vvvv'],
    ['-strategy dynamic -numListstatusThreads 40 -useiterator -copybuffersize 8192 -updateRoot', ''],
    ['-sizelimit 5 -filelimit 5', ''],
    ['-Dmapreduce.job.queuename=etl -D yarn.app.x=1 -Ddfs.checksum.combine.mode=COMPOSITE_CRC', ''],
  ])('%s becomes: %s', (options, flags) => {
    expect(flagsOf(`${options} hdfs://a/in hdfs://b/out`)).toBe(flags);
  });

  it('each has a line that says what it means', () => {
    const { wish } = read('-update -pugp -m 5 -Dmapred.x=y -log /l hdfs://a/in hdfs://b/out');
    expect(wish.meanings.map(({ option }) => option)).toEqual(['-update', '-pugp', '-m 5', '-Dmapred.x=y', '-log /l']);
    expect(wish.meanings.filter(({ means }) => means === '')).toEqual([]);
  });

  it('stand among flags of copy and paths in any order', () => {
    const { ours, sources, target, wish } = read(
      '--dry-run -update a:/1 --conf /etc/my.cfg a:/2 --bandwidth=5M -i b:/out --json',
    );
    expect(ours).toEqual(['--dry-run', '--conf', '/etc/my.cfg', '--bandwidth=5M', '--json']);
    expect([...sources, target]).toEqual(['a:/1', 'a:/2', 'b:/out']);
    expect(wish).toMatchObject({ sync: 'update', ignoresFailures: true });
  });

  it.each([
    ['-append -update a:/x b:/y', '-append: a file that has grown is copied whole, and verified whole (leave it out'],
    ['-async a:/x b:/y', 'start it with setsid'],
    ['-atomic -tmp /t a:/x b:/y', 'hdfs dfs -mv'],
    ['-update -diff s1 s2 a:/x b:/y', 'put --snapshot in its place'],
    ['-update -rdiff s2 s1 a:/x b:/y', 'hadoop distcp -rdiff'],
    ['-mapredSslConf ssl.xml a:/x b:/y', 'clusters import reads ssl-client.xml'],
    ['-conf core-site.xml a:/x b:/y', '--conf names their file'],
    ['-update -overwrite a:/x b:/y', '-update and -overwrite exclude each other'],
    ['-delete a:/x b:/y', '-delete needs -update or -overwrite'],
    ['-xtrack m a:/x b:/y', '-xtrack needs -update or -overwrite'],
    ['-update -xtrack hdfs://b/m a:/x b:/y', 'a file of this machine'],
    ['-update -delete a:/x a:/z b:/y', '-delete takes one source that is named in full'],
    ['-update -delete a:/x* b:/y', '-delete takes one source that is named in full'],
    ['-update -delete -f a:/list b:/y', '-delete takes one source that is named in full'],
    ['-pq a:/x b:/y', '-pq: q is none of its letters (choose of rbugpcaxte)'],
    ['-m ten a:/x b:/y', '-m ten is not a whole number'],
    ['-bandwidth 0 a:/x b:/y', '-bandwidth 0 is no number of MB a second above 0'],
    ['-bandwidth 10M a:/x b:/y', '-bandwidth 10M is no number'],
    ['-strategy fast a:/x b:/y', '-strategy fast is not known (DistCp has uniformsize and dynamic)'],
    ['-blocksperchunk x a:/x b:/y', '-blocksperchunk x is not a whole number'],
    ['-Ddfs.blocksize=1 a:/x b:/y', "files get the target's block size, or with -pb that of the source"],
    ['-Ddistcp.copy.overwrite=true a:/x b:/y', 'write the option that it stands for'],
    ['-Dmy.own=1 a:/x b:/y', '-Dmy.own: this property'],
    ['-updat a:/x b:/y', '-updat is an option neither of DistCp nor of hdfs-fanout copy'],
    ['--no-such a:/x b:/y', '--no-such is an option neither of DistCp nor of hdfs-fanout copy'],
    ['-delete=yes a:/x b:/y', '-delete takes no value'],
    ['a:/x b:/y -m', '-m takes a value'],
    ['--existing update a:/x b:/y', "--existing cannot stand beside DistCp's options"],
    ['--resume=JOB a:/x b:/y', '--resume=JOB cannot stand beside'],
    ['-f a:/list a:/x b:/y', '-f and sources were both given'],
    ['b:/y', 'a source and the target are needed'],
    ['-update', 'the target is missing'],
  ])('%s is refused', (line, message) => {
    expect(() => read(line)).toThrow(message);
  });
});

describe('a URI is that of the cluster', () => {
  const clusters = parseClusters(
    JSON.stringify({
      clusters: [
        { name: 'prod', nameservices: [{ urls: ['https://nn1.prod:9871', 'https://nn2.prod:9871'], mounts: ['/'] }] },
        { name: 'old', nameservices: [{ name: 'ns-old', urls: ['http://nn1.old'], mounts: ['/'] }] },
        {
          name: 'fed',
          nameservices: [
            { name: 'ns1', urls: ['http://nn1.fed:9870'], mounts: ['/'] },
            { name: 'ns2', urls: ['http://nn2.fed:9870'], mounts: ['/logs'] },
          ],
        },
        { name: 'gate1', nameservices: [{ urls: ['http://gate:14000'], mounts: ['/'] }] },
        { name: 'gate2', nameservices: [{ urls: ['http://gate:14001'], mounts: ['/'] }] },
      ],
    }),
    'clusters.json',
  );
  const located = (text: string, defaultFs?: string) => locationOf(text, clusters, defaultFs, 'clusters.json');

  it.each([
    ['hdfs://prod/data/x', 'prod:/data/x'],
    ['hdfs://prod', 'prod:/'],
    ['hdfs://nn2.prod:8020/data', 'prod:/data'],
    ['hdfs://NN2.prod/data', 'prod:/data'],
    ['swebhdfs://nn1.prod:9871/data', 'prod:/data'],
    ['swebhdfs://nn1.prod/data', 'prod:/data'],
    ['hdfs://ns-old/a b%20c', 'old:/a b%20c'],
    ['webhdfs://nn1.old:80/a', 'old:/a'],
    ['hdfs://ns1/data', 'fed:/data'],
    ['hdfs://ns2/logs/2026', 'fed:/logs/2026'],
    ['hdfs://nn2.fed:8020/logs', 'fed:/logs'],
    ['webhdfs://gate:14001/x', 'gate2:/x'],
    ['viewfs://fed/x', 'fed:/x'],
    ['prod:/data', 'prod:/data'],
    ['local:/tmp/x', 'local:/tmp/x'],
    ['file:///tmp/x', 'local:/tmp/x'],
    ['file:/tmp/x', 'local:/tmp/x'],
  ])('%s is %s', (uri, location) => {
    expect(located(uri)).toBe(location);
  });

  it('that -fs names, where it is a path alone', () => {
    expect(located('/data', 'hdfs://nn1.prod:8020')).toBe('prod:/data');
  });

  it.each([
    [
      'hdfs://nameservice1/x',
      'no cluster in clusters.json is nameservice1 (it defines prod, old, fed, gate1, gate2) (add it: hdfs-fanout clusters import --name nameservice1 --nameservice nameservice1 /etc/hadoop/conf',
    ],
    ['hdfs://nn9:8020/x', 'clusters import --name NAME /etc/hadoop/conf'],
    ['hdfs://gate/x', 'gate1 and gate2 in clusters.json both have the host gate (write gate1:/x'],
    ['hdfs://ns2/data', 'no cluster in clusters.json is ns2'],
    ['webhdfs://gate:14002/x', 'is gate:14002'],
    ['webhdfs://nn1.prod/x', 'is nn1.prod'],
    ['viewfs://ns1/x', 'is ns1'],
    ['hdfs:///x', 'names no cluster'],
    ['/x', 'names no cluster (write hdfs://nameservice/path or cluster:/path, or add -fs'],
    ['s3a://bucket/x', 's3a://bucket/x is no path of HDFS'],
    ['x', 'x is no path of HDFS'],
  ])('%s is refused', (uri, message) => {
    expect(() => located(uri)).toThrow(message);
  });
});
