// What --help says behind the options of each command: examples, and what an exit code means.
import {
  checkCodesHelp,
  estimateCodesHelp,
  exitCodesHelp,
  setCodesHelp,
  startCodesHelp,
  statusCodesHelp,
  undoCodesHelp,
  verifyCodesHelp,
} from './exit-codes.ts';

export const examples = `
Examples:
  hdfs-fanout copy staging:/data/outgoing prod:/data/incoming
  hdfs-fanout copy --force --exact --preserve staging:/data/2024 prod:/data/2024
  hdfs-fanout copy --plan-only --exact staging:/data/2024 prod:/data/2024
  hdfs-fanout copy --dry-run 'staging:/logs/dt=2024-{01,02}-*' prod:/logs
  hdfs-fanout -f -s staging -d prod /data/outgoing /data/incoming --threads=10
  hdfs-fanout copy local:/tmp/report.csv prod:/reports/
${exitCodesHelp}`;

export const awsExamples = `
Examples:
  hdfs-fanout clusters push ~/.webhdfs.cfg --stack HdfsFanout
  hdfs-fanout start --dry-run --exact staging:/data/2024 prod:/data/2024
  hdfs-fanout start --wait --force staging:/data/outgoing prod:/data/incoming
  hdfs-fanout start --exact --threads=500 staging:/data/2024 prod:/data/2024
${startCodesHelp}`;

export const retryHelp = `
Examples:
  hdfs-fanout retry 20240131-123456-abcd --wait
  hdfs-fanout retry 20240131-123456-abcd --only REASON
${startCodesHelp}`;

export const cleanHelp = `
What the job did is forgotten too: it can neither be resumed nor undone then.

Examples:
  hdfs-fanout clean 20240131-123456-abcd
  hdfs-fanout clean 20240131-123456-abcd --stack HdfsFanout`;

export const statusHelp = `
Examples:
  hdfs-fanout status 20240131-123456-abcd
  hdfs-fanout status 20240131-123456-abcd --failures
  hdfs-fanout status 20240131-123456-abcd --stack HdfsFanout
${statusCodesHelp}`;

export const jobsHelp = `
Examples:
  hdfs-fanout jobs --limit 5
  hdfs-fanout jobs --stack HdfsFanout
  hdfs-fanout jobs prune --older-than 30d`;

export const doctorHelp = `
Examples:
  hdfs-fanout doctor prod
  hdfs-fanout doctor prod /data/incoming
  hdfs-fanout doctor prod --read-only --json
  hdfs-fanout doctor prod /data/incoming --stack HdfsFanout

Exit codes:
  0    every check succeeded, warnings aside
  2    bad usage or configuration: nothing was asked of the cluster
  3    a check failed
  130  interrupted`;

export const clustersHelp = `
Examples:
  hdfs-fanout clusters import --name prod /etc/hadoop/conf
  hdfs-fanout clusters import --name prod --dry-run
  hdfs-fanout clusters import --name archive --nameservice ns2 --replace
  hdfs-fanout clusters list
  hdfs-fanout clusters check
  hdfs-fanout clusters check prod --json
${checkCodesHelp}`;

export const verifyHelp = `
The two named paths are held against each other, as after a copy with --exact.
After a copy into an existing directory name what it made there.

Examples:
  hdfs-fanout verify staging:/data/2026 prod:/data/2026
  hdfs-fanout verify staging:/data/outgoing prod:/data/incoming/outgoing
  hdfs-fanout verify --preserve --report report.jsonl staging:/a prod:/a
  hdfs-fanout verify --level read-back --bandwidth 100M staging:/a prod:/a
  hdfs-fanout verify --level size --one-way --exclude _tmp staging:/a prod:/a
  hdfs-fanout verify staging:/data/2026 prod:/data/2026 --stack HdfsFanout
${verifyCodesHelp}`;

export const undoHelp = `
Files that the job made go into the trash, files that it replaced or deleted
come back from --backup-dir or the trash, all by rename. What was changed since
the job is left, and told. Attributes of directories and of files that the job
did not copy are not undone.

Examples:
  hdfs-fanout undo 20240131-123456-abcd --dry-run
  hdfs-fanout undo 20240131-123456-abcd --yes
${undoCodesHelp}`;

export const completionHelp = `
What is printed belongs
  bash  into /etc/bash_completion.d/hdfs-fanout, or ~/.bashrc
  zsh   into a file _hdfs-fanout in a directory of $fpath
  fish  into ~/.config/fish/completions/hdfs-fanout.fish

Examples:
  hdfs-fanout completion bash
  source <(hdfs-fanout completion zsh)`;

export const pruneHelp = `
Kept are jobs that run or have not ended, that may have left temporary files or
a snapshot (hdfs-fanout clean JOB), and those that the next job of a mirror with
snapshots has to know. A failed job has ended: once it is removed no resume goes
on with it, and a new copy skips what is equal.

Examples:
  hdfs-fanout jobs prune --older-than 30d --dry-run
  hdfs-fanout jobs prune --older-than 30d
  hdfs-fanout jobs prune 20240131-123456-abcd

Exit codes:
  0  done
  2  bad usage, or a named job is kept: nothing was removed`;

export const reportHelp = `
The page is one file: it loads nothing, runs no script, and can be mailed.

Examples:
  hdfs-fanout report 20240131-123456-abcdef
  hdfs-fanout report 20240131-123456-abcdef -o copy.html
  hdfs-fanout report 20240131-123456-abcdef --json
  hdfs-fanout report 20240131-123456-abcdef --stack HdfsFanout

Exit codes:
  0    the report was made, however the job ended
  2    bad usage, or no such job
  3    it could not be made`;

export const estimateHelp = `
Files that exist are compared as a copy would compare them: with --compare time
by both listings alone, without a request for each file.

Examples:
  hdfs-fanout estimate staging:/data/2026 prod:/data/2026
  hdfs-fanout estimate -fp --exact --compare time staging:/data prod:/data
  hdfs-fanout estimate --sample=60 staging:/data/2026 prod:/data/2026
  hdfs-fanout estimate --aws-copiers 200 --json staging:/data prod:/data
${estimateCodesHelp}`;

export const setHelp = `
Examples:
  hdfs-fanout set 20240131-123456-abcd --bandwidth 20M --namenode-ops 200
  hdfs-fanout set 20240131-123456-abcd --threads 500 --stack HdfsFanout

Each copier process of this machine copies at least one file at once, whatever
--threads says.
${setCodesHelp}`;

export const distcpHelp = `
Options have one hyphen, as DistCp's; flags of hdfs-fanout copy have two, and
may stand beside them. A URI is that of a cluster in the clusters' file: its
authority is an alias there (hdfs://prod/data), or the host of a namenode.

  -update -overwrite -delete -p[rbugpcaxte] -i -f URI -filters FILE
  -m N -bandwidth MB -blocksperchunk N -skipcrccheck -direct -xtrack FILE -v
                  do what they do in DistCp, as far as the output says
  -log -strategy -numListstatusThreads -useiterator -copybuffersize
  -updateRoot -sizelimit -filelimit -Dmapreduce.…
                  are accepted, and change nothing
  -append -async -atomic -tmp -diff -rdiff -mapredSslConf -conf
                  are refused, with what to do instead

-delete moves into the trash what DistCp deletes for good; add --skip-trash to
do as DistCp does.

Examples:
  hdfs-fanout distcp hdfs://staging/data/outgoing hdfs://prod/data/incoming
  hdfs-fanout distcp --dry-run -update -delete -p hdfs://a/dwh hdfs://b/dwh
  hdfs-fanout distcp -m 50 -bandwidth 10 webhdfs://nn1:9870/logs prod:/logs
  hdfs-fanout distcp -f hdfs://staging/tmp/list hdfs://prod/data/incoming
${exitCodesHelp}`;
