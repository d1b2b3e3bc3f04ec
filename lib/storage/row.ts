/** Reads the columns of a row as the types that the schema gives them. */
import type { SQLOutputValue } from "node:sqlite";
import { assert } from "../ring/assert.ts";

/** A row as `node:sqlite` gives it; `undefined` if the query found none. */
export type Row = Record<string, SQLOutputValue> | undefined;

/** The text in a column. */
export function textOf(row: Row, column: string): string {
  const value = row?.[column];
  assert(typeof value === "string", `column "${column}" holds no text`);
  return value;
}

/** The integer in a column. */
export function integerOf(row: Row, column: string): number {
  const value = row?.[column];
  assert(typeof value === "number", `column "${column}" holds no integer`);
  return value;
}
