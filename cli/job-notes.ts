import type { JobSpec } from '../shared/job/spec.ts';
import { chosenAttributes } from '../shared/preserve/attributes.ts';

/** What a job will not do, for all that it may be expected to. @param silent  leaves out what holds for any job of its kind */
export function notesOn({ source, options }: JobSpec, silent: boolean): string[] {
  const notes: string[] = [];
  if (options.compare === 'time' && !chosenAttributes(options).has('times'))
    notes.push(
      'copied files get a new time, so that --compare time will compare them by content: add --preserve or --attributes times',
    );
  if (options.delete && !silent && !options.snapshot && !source.every(isSnapshot)) {
    const elsewhere = options.backupDir === '' ? 'in the trash alone' : 'in the backup alone';
    const meanwhile = options.skipTrash ? 'missing' : elsewhere;
    notes.push(
      `--delete reads the source while others may change it: a copy of what is renamed there meanwhile may be ${meanwhile} until the next run; with --snapshot it is read as it was at one moment`,
    );
  }
  return notes;
}

function isSnapshot(location: string): boolean {
  return location.includes('/.snapshot/');
}
