// What is copied. The two halves of a case's name that follow it in reports are its count and its size.
const KIB = 1024;
const MIB = 1024 * KIB;

/** A tree of equal files, spread over directories. */
export interface Case {
  readonly name: 'small' | 'middle' | 'big' | 'small-tls' | 'middle-tls';
  /** Between clusters with Kerberos and TLS, by delegation tokens. */
  readonly secure?: true;
  readonly files: number;
  readonly fileBytes: number;
  readonly directories: number;
}

/** A tree of empty files that is only listed; an endless one by hdfs-fanout alone, from a namenode that makes it up. */
export interface ListingCase {
  readonly name: 'wide' | 'deep' | 'endless';
  readonly directories: number;
  readonly filesEach: number;
  /** How many directories lie in one, on each level. */
  readonly fanOut: number;
}

export const cases: readonly Case[] = [
  { name: 'small', files: 2000, fileBytes: 64 * KIB, directories: 20 },
  { name: 'middle', files: 200, fileBytes: 4 * MIB, directories: 4 },
  { name: 'big', files: 4, fileBytes: 512 * MIB, directories: 1 },
  { name: 'small-tls', secure: true, files: 1000, fileBytes: 64 * KIB, directories: 10 },
  { name: 'middle-tls', secure: true, files: 100, fileBytes: 4 * MIB, directories: 4 },
];

export const quickCases: readonly Case[] = [
  { name: 'small', files: 300, fileBytes: 64 * KIB, directories: 3 },
  { name: 'middle', files: 30, fileBytes: 4 * MIB, directories: 2 },
  { name: 'big', files: 2, fileBytes: 192 * MIB, directories: 1 },
  { name: 'small-tls', secure: true, files: 100, fileBytes: 64 * KIB, directories: 2 },
  { name: 'middle-tls', secure: true, files: 10, fileBytes: 4 * MIB, directories: 2 },
];

export const listingCases: readonly ListingCase[] = [
  { name: 'wide', directories: 1, filesEach: 20_000, fanOut: 1 },
  { name: 'deep', directories: 2000, filesEach: 10, fanOut: 5 },
  { name: 'endless', directories: 2000, filesEach: 1000, fanOut: 1 },
];

export const quickListingCases: readonly ListingCase[] = [
  { name: 'wide', directories: 1, filesEach: 2000, fanOut: 1 },
  { name: 'deep', directories: 200, filesEach: 10, fanOut: 5 },
  { name: 'endless', directories: 20, filesEach: 1000, fanOut: 1 },
];

export const human = (bytes: number): string => (bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`);

export const describe = (of: Case): string =>
  `${of.files.toLocaleString('en')} files of ${human(of.fileBytes)}${of.secure ? ', tokens over TLS on both sides' : ''}`;

export const describeListing = ({ name, directories, filesEach }: ListingCase): string => {
  if (name === 'wide') return `${filesEach.toLocaleString('en')} files in one directory`;
  if (name === 'deep') return `${directories.toLocaleString('en')} nested directories of ${filesEach} files`;
  return `${(directories * filesEach).toLocaleString('en')} files of a simulated namenode, half of them in one directory`;
};

export const totalBytes = (of: Case): number => of.files * of.fileBytes;

/** Paths below the tree's root. */
export const pathsOf = (of: Case): string[] =>
  Array.from({ length: of.files }, (_, i) => `/d${String(i % of.directories).padStart(2, '0')}/f${i}`);

/** A directory's number is its place in a tree in which every directory holds `fanOut` others. */
const directoryOf = (number: number, fanOut: number): string =>
  number === 0 ? '' : `${directoryOf(Math.floor((number - 1) / fanOut), fanOut)}/d${number}`;

export const listedPathsOf = ({ directories, filesEach, fanOut }: ListingCase): string[] =>
  Array.from({ length: directories }, (_, number) => {
    const directory = directoryOf(number, fanOut);
    return Array.from({ length: filesEach }, (__, file) => `${directory}/f${file}`);
  }).flat();
