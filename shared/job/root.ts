/** One source match and where it goes. Resolved once, at planning, and kept with the job: resume and retry reuse it. */
export interface Root {
  readonly source: string;
  readonly destination: string;
  readonly kind: 'file' | 'directory';
}
