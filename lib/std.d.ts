/**
 * The types of the few functions of Deno's standard library that ring uses. The npm package that
 * brings them (see `imports` in deno.json) holds the same code as the JSR packages, without types.
 */
declare module "@std/assert" {
  export class AssertionError extends Error {}
  export function assert(condition: unknown, message?: string): asserts condition;
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  export function assertThrows(
    body: () => unknown,
    // deno-lint-ignore no-explicit-any -- any constructor of an error, whatever it takes
    errorClass?: new (...args: any[]) => Error,
    messageIncludes?: string,
  ): Error;
  export function assertRejects(
    body: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any -- any constructor of an error, whatever it takes
    errorClass?: new (...args: any[]) => Error,
    messageIncludes?: string,
  ): Promise<Error>;
}

declare module "@std/cli" {
  export interface ParseOptions {
    boolean?: readonly string[];
    string?: readonly string[];
    collect?: readonly string[];
    alias?: Readonly<Record<string, string | readonly string[]>>;
    default?: Readonly<Record<string, unknown>>;
    stopEarly?: boolean;
    "--"?: boolean;
    unknown?: (argument: string, key?: string, value?: unknown) => unknown;
  }
  export function parseArgs(
    args: readonly string[],
    options?: ParseOptions,
  ): { _: (string | number)[]; [flag: string]: unknown };
}

declare module "@std/fmt/bytes" {
  export function format(bytes: number, options?: { binary?: boolean }): string;
}

declare module "@std/fmt/colors" {
  export function setColorEnabled(value: boolean): void;
  export function bold(text: string): string;
  export function dim(text: string): string;
  export function green(text: string): string;
  export function yellow(text: string): string;
  export function cyan(text: string): string;
  export function red(text: string): string;
}

declare module "@std/fmt/duration" {
  export function format(
    milliseconds: number,
    options?: { style?: "narrow" | "full" | "digital"; ignoreZero?: boolean },
  ): string;
}

declare module "@std/media-types" {
  export function contentType(extensionOrType: string): string | undefined;
}

declare module "@std/text" {
  export function closestString(
    word: string,
    possibleWords: readonly string[],
    options?: { compareFn?: (a: string, b: string) => number },
  ): string;
}

declare module "@std/text/levenshtein-distance" {
  export function levenshteinDistance(a: string, b: string): number;
}
