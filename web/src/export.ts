// What a list shows and what lies behind it, as a file.
import { call } from './api';
import type { Page } from './ended';
import type { Row } from './types';

const kRowsMax = 100_000; // In this page's memory.
const kPage = 1000;
const kFields = [
  'offset',
  'id',
  'kind',
  'project',
  'state',
  'worker',
  'attempts',
  'began',
  'ended',
  'summary',
  'error',
] as const;

export function save(name: string, pieces: string[], type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(pieces, { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const quoted = (value: unknown) =>
  /[",\r\n]/.test(String(value ?? '')) ? `"${String(value).replaceAll('"', '""')}"` : (value ?? '');
// What a spreadsheet would take for a formula is text.
const cell = (value: unknown) =>
  quoted(typeof value === 'string' && /^[=+\-@\t]/.test(value) ? `'${value}` : value);

const lineOf = (row: Row, isCsv: boolean) =>
  isCsv ? `${kFields.map((name) => cell(row[name])).join(',')}\r\n` : `${JSON.stringify(row)}\n`;

/** Reads page after page, and saves it; tells how far it is. Gives how many rows there were. */
export async function exportRows(
  path: string,
  isCsv: boolean,
  goesOn: (count: number) => boolean,
): Promise<{ count: number; isWhole: boolean }> {
  const pieces = isCsv ? [`${kFields.join(',')}\r\n`] : [];
  let count = 0;
  let cursor: string | number | null | undefined;
  do {
    const more: string = cursor === undefined ? '' : `&cursor=${cursor}`;
    const page: Page = await call('GET', `${path}&limit=${kPage}${more}`);
    for (const row of page.rows ?? []) pieces.push(lineOf(row, isCsv));
    count += page.rows?.length ?? 0;
    cursor = page.next;
  } while (cursor != null && count < kRowsMax && goesOn(count));
  const form = isCsv ? 'csv' : 'ndjson';
  save(`eole-tasks.${form}`, pieces, isCsv ? 'text/csv' : 'application/x-ndjson');
  return { count, isWhole: cursor == null };
}
