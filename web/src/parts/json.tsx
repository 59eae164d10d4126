// A JSON value as a tree that opens and closes.
import { number } from './shown';
import { w } from '../settings';
import type { Json } from '../types';

const kItemsMax = 200; // Shown of one list or map.
const kTextMax = 65_536; // And of one text.

export function Tree({ value, name, depth = 0 }: { value: Json; name?: string; depth?: number }) {
  const label = name !== undefined && <span class="key">{name}: </span>;
  if (value === null || typeof value !== 'object') {
    const isLong = typeof value === 'string' && (value.includes('\n') || value.length > 100);
    return (
      <div class="leaf">
        {label}
        {isLong ? (
          <pre class="output">
            {value.slice(0, kTextMax)}
            {value.length > kTextMax && ` … ${w().more(value.length - kTextMax)}`}
          </pre>
        ) : (
          <code>{JSON.stringify(value)}</code>
        )}
      </div>
    );
  }
  const members = Array.isArray(value)
    ? value.map((each, at): [string, Json] => [String(at), each])
    : Object.entries(value);
  if (members.length === 0) {
    return (
      <div class="leaf">
        {label}
        <code>{Array.isArray(value) ? '[]' : '{}'}</code>
      </div>
    );
  }
  const inner = (
    <div class={depth > 0 || label ? 'branch' : ''}>
      {members.slice(0, kItemsMax).map(([key, each]) => (
        <Tree key={key} name={key} value={each} depth={depth + 1} />
      ))}
      {members.length > kItemsMax && <div class="soft">{w().more(members.length - kItemsMax)}</div>}
    </div>
  );
  if (!label) return inner;
  return (
    <details open={depth < 3}>
      <summary>
        <span class="key">{name}</span>{' '}
        <span class="soft">
          {Array.isArray(value) ? `[${number(members.length)}]` : `{${number(members.length)}}`}
        </span>
      </summary>
      {inner}
    </details>
  );
}
