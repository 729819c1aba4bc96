// What is copied, and by whom. The two halves of a case's name that follow it in reports are its count and its size.
const KIB = 1024;
const MIB = 1024 * KIB;

const usual = ['fanout', 'floor', 'fanout-none', 'floor-none', 'pydistcp'];
const all = [...usual, 'fanout-2', 'distcp-rpc', 'distcp'];
/** A process for each request is all that curl could show of small files. */
const withCurl = [...all, 'curl'];
const verified = ['fanout', 'floor', 'pydistcp'];
const inChunks = ['fanout-chunks', 'fanout', 'floor', 'pydistcp', 'distcp-chunks', 'curl'];
const afar = ['fanout', 'pydistcp', 'fanout-100', 'pydistcp-100', 'fanout-auto'];

/** A tree of equal files, spread over directories of fifty. */
export interface Case {
  readonly name: string;
  readonly contestants: readonly string[];
  /** Between clusters with Kerberos and TLS, by delegation tokens. */
  readonly secure?: true;
  /** Of the source's files, where not the destination's: their stored checksums cannot be compared then, and all bytes are digested. */
  readonly sourceBlockBytes?: number;
  /** What those who cut files cut them into. */
  readonly chunkBytes?: number;
  /** Between the client and everything else. */
  readonly roundTripMs?: number;
  readonly files: number;
  readonly fileBytes: number;
}

/** What the bed's clusters give to new files. */
export const blockBytes = 128 * MIB;

/**
 * A tree that is only listed: of empty files; `unchanged` one of small files that stands at both ends, and `snapshot` one of which a
 * hundred files have changed; an endless one by hdfs-fanout alone, from a namenode that makes it up.
 */
export interface ListingCase {
  readonly name: 'wide' | 'deep' | 'endless' | 'unchanged' | 'snapshot';
  readonly directories: number;
  readonly filesEach: number;
  /** How many directories lie in one, on each level. */
  readonly fanOut: number;
}

const small = { fileBytes: 64 * KIB };
const middle = { fileBytes: 4 * MIB };
const big = { fileBytes: 512 * MIB };
const huge = { fileBytes: 4096 * MIB, chunkBytes: 1024 * MIB };

const sizes: readonly (Case & { readonly quickFiles: number })[] = [
  { name: 'small', ...small, files: 1000, quickFiles: 100, contestants: all },
  { name: 'middle', ...middle, files: 120, quickFiles: 20, contestants: withCurl },
  { name: 'big', ...big, files: 4, quickFiles: 2, contestants: withCurl },
  { name: 'big-digest', ...big, files: 2, quickFiles: 1, contestants: verified, sourceBlockBytes: blockBytes / 2 },
  { name: 'huge', ...huge, files: 1, quickFiles: 1, contestants: inChunks },
  { name: 'small-20ms', ...small, files: 200, quickFiles: 40, contestants: afar, roundTripMs: 20 },
  { name: 'middle-20ms', ...middle, files: 100, quickFiles: 10, contestants: afar, roundTripMs: 20 },
  { name: 'small-80ms', ...small, files: 200, quickFiles: 40, contestants: afar, roundTripMs: 80 },
  { name: 'middle-80ms', ...middle, files: 100, quickFiles: 10, contestants: afar, roundTripMs: 80 },
  { name: 'small-tls', ...small, files: 400, quickFiles: 60, contestants: usual, secure: true },
  { name: 'middle-tls', ...middle, files: 80, quickFiles: 10, contestants: usual, secure: true },
  { name: 'big-tls', ...big, files: 2, quickFiles: 1, contestants: usual, secure: true },
];

const quickFileBytes = 192 * MIB;

export const cases: readonly Case[] = sizes.map(({ quickFiles, ...each }) => each);

/** Each of them still of several blocks, where the case is about blocks. */
export const quickCases: readonly Case[] = sizes.map(({ quickFiles, ...each }) => ({
  ...each,
  files: quickFiles,
  fileBytes: Math.min(each.fileBytes, quickFileBytes),
  ...(each.chunkBytes === undefined ? {} : { chunkBytes: blockBytes }),
}));

export const listingCases: readonly ListingCase[] = [
  { name: 'wide', directories: 1, filesEach: 20_000, fanOut: 1 },
  { name: 'deep', directories: 2000, filesEach: 10, fanOut: 5 },
  { name: 'endless', directories: 2000, filesEach: 1000, fanOut: 1 },
  { name: 'unchanged', directories: 2000, filesEach: 50, fanOut: 5 },
  { name: 'snapshot', directories: 2000, filesEach: 50, fanOut: 5 },
];

export const quickListingCases: readonly ListingCase[] = [
  { name: 'wide', directories: 1, filesEach: 2000, fanOut: 1 },
  { name: 'deep', directories: 200, filesEach: 10, fanOut: 5 },
  { name: 'endless', directories: 20, filesEach: 1000, fanOut: 1 },
  { name: 'unchanged', directories: 100, filesEach: 20, fanOut: 5 },
  { name: 'snapshot', directories: 100, filesEach: 20, fanOut: 5 },
];

export const human = (bytes: number): string => (bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`);

export const describe = ({ files, fileBytes, secure, sourceBlockBytes, chunkBytes, roundTripMs }: Case): string =>
  [
    `${files === 1 ? 'one file' : `${files.toLocaleString('en')} files`} of ${human(fileBytes)}`,
    ...(chunkBytes ? [`chunks of ${human(chunkBytes)}`] : []),
    ...(secure ? ['tokens over TLS on both sides'] : []),
    ...(sourceBlockBytes ? [`blocks of ${human(sourceBlockBytes)} and ${human(blockBytes)}`] : []),
    ...(roundTripMs ? [`${roundTripMs} ms away`] : []),
  ].join(', ');

export const describeListing = ({ name, directories, filesEach }: ListingCase): string => {
  if (name === 'wide') return `${filesEach.toLocaleString('en')} files in one directory`;
  const files = (directories * filesEach).toLocaleString('en');
  if (name === 'unchanged') return `${files} unchanged files at both ends`;
  if (name === 'snapshot') return `${files} files, of which 100 were changed, renamed, deleted or made`;
  if (name === 'deep') return `${directories.toLocaleString('en')} nested directories of ${filesEach} files`;
  return `${files} files of a simulated namenode, half of them in one directory`;
};

export const totalBytes = (of: Case): number => of.files * of.fileBytes;

const filesPerDirectory = 50;

/** Paths below the tree's root. */
export const pathsOf = ({ files }: Case): string[] =>
  Array.from({ length: files }, (_, i) => {
    const directory = i % Math.ceil(files / filesPerDirectory);
    return `/d${String(directory).padStart(2, '0')}/f${i}`;
  });

/** A directory's number is its place in a tree in which every directory holds `fanOut` others. */
const directoryOf = (number: number, fanOut: number): string =>
  number === 0 ? '' : `${directoryOf(Math.floor((number - 1) / fanOut), fanOut)}/d${number}`;

export const listedPathsOf = ({ directories, filesEach, fanOut }: ListingCase): string[] =>
  Array.from({ length: directories }, (_, number) => {
    const directory = directoryOf(number, fanOut);
    return Array.from({ length: filesEach }, (__, file) => `${directory}/f${file}`);
  }).flat();
