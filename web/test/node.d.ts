// The little of Node that the tests use.
declare module "node:test" {
  type Context = { mock: { timers: { enable(o: { apis: string[] }): void; tick(ms: number): void } } };
  export function test(name: string, f: (t: Context) => void | Promise<void>): void;
}
declare module "node:assert/strict" {
  type Assert = {
    (value: unknown, message?: string): asserts value;
    equal(got: unknown, want: unknown, message?: string): void;
    deepEqual(got: unknown, want: unknown, message?: string): void;
    throws(f: () => unknown, want?: unknown, message?: string): void;
    rejects(f: Promise<unknown>, want?: unknown, message?: string): Promise<void>;
  };
  const assert: Assert;
  export default assert;
}
