/** The names that flattened files have taken: they all lie in one directory. Not in memory, where there may be millions. */
export interface NameSet {
  /** @returns false when the name was taken already */
  add(name: string): boolean;
}
