import { chmod, chown, setAcl, setXattr } from './attributes.ts';
import type { TestHdfs } from './hdfs.ts';
import { isOpen, until } from './open-file.ts';
import { oddNames, varied } from './odd-tree.ts';
import type { Seeded } from './seeded.ts';

const MIB = 1024 * 1024;

export type Kind = 'file' | 'directory';
/** Kinds of the entries of a tree, by their paths below the root; that of the root is empty. */
export type Kinds = ReadonlyMap<string, Kind>;

const names = [...oddNames, ...'a b c d e f g h i j k l m n o p A ab a.b a-b'.split(' ')];
const modes = ['600', '640', '644', '666', '700', '750', '755', '777'];
const owners = ['root', 'etl', 'spark'];
const groups = ['supergroup', 'hadoop', 'etl'];
const acls = [
  'user::rw-,user:etl:r--,group::r--,mask::r--,other::---',
  'user::rwx,group::r-x,group:hadoop:rwx,mask::rwx,other::r--',
];
const defaults = ['', ',default:user:spark:rwx', ',default:user::rwx,default:group::---,default:other::---'];
const xattrs = ['user.one', 'user.two', 'trusted.three'];
const lengths = [0, 0, 1, 2, 511, 512, 513, 4096, MIB + 1];
const MOST_DEPTH = 5;
/** Of files: a source without any is not mirrored. */
const LEAST_FILES = 12;
const MOST_ENTRIES = 90;

/** A tree on a cluster that is changed at random, in the same way for the same seed. */
export class RandomTree {
  /** What was done, a line each. */
  readonly log: string[] = [];
  readonly #hdfs: TestHdfs;
  readonly #root: string;
  readonly #random: Seeded;
  readonly #kinds: Map<string, Kind>;
  /** That an inode has had, of files that were appended to or truncated. */
  readonly #lengths = new Map<number, Set<number>>();
  #unlisted = true;
  #writes = 0;

  /** @param kinds  what stands there; what is not told is left alone */
  constructor(hdfs: TestHdfs, root: string, random: Seeded, kinds: Kinds = new Map([['', 'directory']])) {
    this.#hdfs = hdfs;
    this.#root = root;
    this.#random = random;
    this.#kinds = new Map(kinds);
  }

  /** Makes so many files, in a few directories. */
  async grow(files: number): Promise<void> {
    for (let made = 0; made < files;) {
      if (this.#random.isOneIn(3)) await this.#mkdir();
      if (await this.#create()) made += 1;
    }
  }

  /** Changes it so many times. @param unlisted  also attributes that no listing tells, and that `--preserve` does not compare */
  async mutate(count: number, unlisted: boolean): Promise<void> {
    this.#unlisted = unlisted;
    for (let done = 0; done < count;) if (await this.#random.of(this.#choices)()) done += 1;
  }

  /** Each as often as it stands here. What cannot be done gives false, and something else is chosen. */
  readonly #choices: readonly (() => Promise<boolean>)[] = [
    () => this.#create(),
    () => this.#create(),
    () => this.#create(),
    () => this.#mkdir(),
    () => this.#append(),
    () => this.#rewrite(),
    () => this.#rewriteUnseen(),
    () => this.#rewriteUnseen(),
    () => this.#truncate(),
    () => this.#chmod(),
    () => this.#chown(),
    () => this.#setAcl(),
    () => this.#removeAcl(),
    () => this.#setXattr(),
    () => this.#removeXattr(),
    () => this.#setTime(),
    () => this.#setReplication(),
    () => this.#rename('file'),
    () => this.#rename('file'),
    () => this.#rename('directory'),
    () => this.#rename('directory'),
    () => this.#swap('file'),
    () => this.#swap('directory'),
    () => this.#renameOver(),
    () => this.#removeFile(),
    () => this.#removeFile(),
    () => this.#removeDirectory(),
    () => this.#changeKind(),
  ];

  async #create(): Promise<boolean> {
    const path = this.#newPath();
    if (path === undefined) return false;
    await this.#put(path, this.#random.of(lengths), { blocksize: String(this.#random.of([MIB, 2 * MIB])) });
    if (this.#random.isOneIn(4)) await setXattr(this.#hdfs, this.#root + path, 'user.made', this.#value());
    return this.#did('create', path);
  }

  async #mkdir(): Promise<boolean> {
    const path = this.#newPath();
    if (path === undefined) return false;
    await this.#hdfs.mkdirs(this.#root + path);
    this.#kinds.set(path, 'directory');
    return this.#did('mkdir', path);
  }

  async #append(): Promise<boolean> {
    const path = this.#one('file');
    const more = 1 + this.#random.below(700);
    if (!(await this.#isNewLength(path, (length) => length + more))) return false;
    await this.#hdfs.append(this.#root + path, this.#content(more));
    return this.#did('append', path);
  }

  async #rewrite(): Promise<boolean> {
    const path = this.#one('file');
    await this.#put(path, this.#random.of(lengths));
    return this.#did('rewrite', path);
  }

  /** With the length and the time that it had: no listing tells. */
  async #rewriteUnseen(): Promise<boolean> {
    const path = this.#one('file');
    const { length, modificationTime } = await this.#hdfs.status(this.#root + path);
    if (length === 0) return false;
    await this.#put(path, length);
    await this.#touch(path, modificationTime);
    return this.#did('rewrite unseen', path);
  }

  async #truncate(): Promise<boolean> {
    const path = this.#one('file');
    const { length } = await this.#hdfs.status(this.#root + path);
    if (length === 0) return false;
    const now = this.#random.below(length);
    if (!(await this.#isNewLength(path, () => now))) return false;
    await this.#hdfs.call('POST', 'TRUNCATE', this.#root + path, { newlength: String(now) });
    // Its last block is recovered.
    await until(async () => !(await isOpen(this.#hdfs, this.#root + path)));
    return this.#did(`truncate to ${now}`, path);
  }

  async #chmod(): Promise<boolean> {
    const path = this.#any();
    const mode = this.#random.of(modes);
    const isSticky = this.#kinds.get(path) === 'directory' && this.#random.isOneIn(3);
    await chmod(this.#hdfs, this.#root + path, isSticky ? `1${mode}` : mode);
    return this.#did(`chmod ${mode}`, path);
  }

  async #chown(): Promise<boolean> {
    const path = this.#any();
    await chown(this.#hdfs, this.#root + path, this.#random.of(owners), this.#random.of(groups));
    return this.#did('chown', path);
  }

  async #setAcl(): Promise<boolean> {
    const path = this.#any();
    const inherited = this.#kinds.get(path) === 'directory' ? this.#random.of(defaults) : '';
    await setAcl(this.#hdfs, this.#root + path, this.#random.of(acls) + inherited);
    return this.#did('setfacl', path);
  }

  async #removeAcl(): Promise<boolean> {
    const path = this.#any();
    await this.#hdfs.call('PUT', 'REMOVEACL', this.#root + path);
    return this.#did('setfacl -b', path);
  }

  async #setXattr(): Promise<boolean> {
    if (!this.#unlisted) return false;
    const path = this.#any();
    await setXattr(this.#hdfs, this.#root + path, this.#random.of(xattrs), this.#value());
    return this.#did('setfattr', path);
  }

  async #removeXattr(): Promise<boolean> {
    if (!this.#unlisted) return false;
    const path = this.#any();
    const { XAttrNames } = await this.#hdfs.json<{ XAttrNames: string }>('LISTXATTRS', this.#root + path);
    const [name] = (JSON.parse(XAttrNames) as string[]).sort();
    if (name === undefined) return false;
    await this.#hdfs.call('PUT', 'REMOVEXATTR', this.#root + path, { 'xattr.name': name });
    return this.#did(`setfattr -x ${name}`, path);
  }

  async #setTime(): Promise<boolean> {
    const path = this.#any();
    await this.#touch(path, 1_500_000_000_000 + this.#random.below(100_000_000_000));
    return this.#did('touch', path);
  }

  async #setReplication(): Promise<boolean> {
    const path = this.#one('file');
    // A lone datanode appends to no file that wants three replicas.
    const replication = String(1 + this.#random.below(2));
    await this.#hdfs.call('PUT', 'SETREPLICATION', this.#root + path, { replication });
    return this.#did(`setrep ${replication}`, path);
  }

  async #rename(kind: Kind): Promise<boolean> {
    const from = this.#one(kind);
    const to = this.#newPath();
    if (from === '' || to === undefined || isBelow(to, from) || !this.#fitsAll(this.#moved(from, to))) return false;
    await this.#move(from, to);
    return this.#did(`rename to ${shown(to)}`, from);
  }

  async #swap(kind: Kind): Promise<boolean> {
    const [one, other] = [this.#one(kind), this.#one(kind)];
    if (one === '' || other === '' || isBelow(one, other) || isBelow(other, one)) return false;
    if (!this.#fitsAll([...this.#moved(one, other), ...this.#moved(other, one)])) return false;
    await this.#move(one, '/swapping');
    await this.#move(other, one);
    await this.#move('/swapping', other);
    return this.#did(`swap with ${shown(other)}`, one);
  }

  async #renameOver(): Promise<boolean> {
    const [from, to] = [this.#one('file'), this.#one('file')];
    if (from === to || !this.#maySpare(1)) return false;
    await this.#remove(to);
    await this.#move(from, to);
    return this.#did(`rename over ${shown(to)}`, from);
  }

  async #removeFile(): Promise<boolean> {
    const path = this.#one('file');
    if (!this.#maySpare(1)) return false;
    await this.#remove(path);
    return this.#did('delete', path);
  }

  async #removeDirectory(): Promise<boolean> {
    const path = this.#one('directory');
    if (path === '' || !this.#maySpare(this.#within(path).filter(([, kind]) => kind === 'file').length)) return false;
    await this.#remove(path);
    return this.#did('delete tree', path);
  }

  /** A file becomes a directory with a file in it, or a directory a file. */
  async #changeKind(): Promise<boolean> {
    const path = this.#any();
    const isFile = this.#kinds.get(path) === 'file';
    const files = this.#within(path).filter(([, kind]) => kind === 'file').length;
    if (path === '' || !this.#maySpare(files)) return false;
    await this.#remove(path);
    if (isFile) this.#kinds.set(path, 'directory');
    await this.#put(isFile ? `${path}/in it` : path, this.#random.of(lengths));
    return this.#did(`becomes a ${isFile ? 'directory' : 'file'}`, path);
  }

  /** No file gets back a length that it had, with other bytes: no comparison of snapshots tells of that. */
  async #isNewLength(path: string, next: (length: number) => number): Promise<boolean> {
    const { fileId, length } = await this.#hdfs.status(this.#root + path);
    const had = this.#lengths.get(fileId) ?? new Set([length]);
    if (had.has(next(length))) return false;
    this.#lengths.set(fileId, had.add(next(length)));
    return true;
  }

  async #put(path: string, length: number, parameters: Record<string, string> = {}): Promise<void> {
    await this.#hdfs.put(this.#root + path, this.#content(length), parameters);
    this.#kinds.set(path, 'file');
  }

  /** No two are the same, but empty ones. */
  #content(length: number): Buffer {
    return varied(`${this.#root} ${this.#writes++}`, length);
  }

  async #touch(path: string, atMs: number): Promise<void> {
    await this.#hdfs.call('PUT', 'SETTIMES', this.#root + path, { modificationtime: String(atMs) });
  }

  async #move(from: string, to: string): Promise<void> {
    const { text } = await this.#hdfs.call('PUT', 'RENAME', this.#root + from, { destination: this.#root + to });
    if (!text.includes('true')) throw new Error(`RENAME ${this.#root}${from} to ${to}: ${text}`);
    const moved = this.#moved(from, to);
    for (const [path] of this.#within(from)) this.#kinds.delete(path);
    for (const [path, kind] of moved) this.#kinds.set(path, kind);
  }

  async #remove(path: string): Promise<void> {
    await this.#hdfs.remove(this.#root + path);
    for (const [gone] of this.#within(path)) this.#kinds.delete(gone);
  }

  /** It and all below it. */
  #within(path: string): [string, Kind][] {
    return [...this.#kinds].filter(([other]) => isBelow(other, path));
  }

  #moved(from: string, to: string): [string, Kind][] {
    return this.#within(from).map(([path, kind]) => [to + path.slice(from.length), kind]);
  }

  #fitsAll(entries: readonly [string, Kind][]): boolean {
    return entries.every(([path]) => path.split('/').length <= MOST_DEPTH + 1);
  }

  #maySpare(files: number): boolean {
    return [...this.#kinds.values()].filter((kind) => kind === 'file').length - files >= LEAST_FILES;
  }

  #any(): string {
    return this.#random.of([...this.#kinds.keys()].sort());
  }

  /** The root is a directory. */
  #one(kind: Kind): string {
    const paths = [...this.#kinds].filter(([, of]) => of === kind).map(([path]) => path);
    return this.#random.of(paths.sort());
  }

  #newPath(): string | undefined {
    const path = `${this.#one('directory')}/${this.#random.of(names)}`;
    const isTooMuch = path.split('/').length > MOST_DEPTH + 1 || this.#kinds.size >= MOST_ENTRIES;
    return isTooMuch || this.#kinds.has(path) ? undefined : path;
  }

  #value(): string {
    return `"value ${this.#writes++}"`;
  }

  #did(what: string, path: string): true {
    this.log.push(`${what} ${shown(path)}`);
    return true;
  }
}

const isBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

/** On a line, and not 255 times the same letter. */
const shown = (path: string): string => JSON.stringify(path).replace(/(.)\1{9,}/g, '$1…');
