/** It has no types of its own. Adds to what it is given. */
declare module 'asl-validator' {
  export default function validate(definition: unknown): { readonly errors: readonly unknown[] };
}
