// Fields for a kind's arguments, from its JSON schema.
import { Field } from './frame';
import { w } from '../settings';
import type { Json, Schema } from '../types';

export type Args = { [name: string]: Json };

interface Props {
  schema: Schema;
  args: Args;
  wrong: Record<string, string>; // By argument.
  set: (args: Args) => void;
}

/** The alternatives of which one must be given, as ["argv", "shell"]; empty: there are none. */
export function alternatives(schema: Schema): string[] {
  return (schema.oneOf ?? schema.anyOf ?? []).flatMap((each) => each.required ?? []);
}

/** A text, or bytes of a file. */
const isBytes = (schema: Schema | undefined) => schema?.properties?.['base64'] !== undefined;

export const isFree = (schema: Schema) => Object.keys(schema.properties ?? {}).length === 0;

export function SchemaFields({ schema, args, wrong, set }: Props) {
  const choice = alternatives(schema);
  const chosen = choice.find((name) => name in args) ?? preferred(schema);
  const all = Object.entries(schema.properties ?? {});
  const needed = new Set(schema.required ?? []);
  const isMain = (name: string) => needed.has(name) || name === chosen;
  const rest = all.filter(([name]) => !isMain(name) && !choice.includes(name));
  const one = ([name, each]: [string, Schema]) => (
    <Argument
      key={name}
      name={name}
      schema={each}
      value={args[name]}
      isNeeded={isMain(name)}
      wrong={wrong[name]}
      set={(value) => {
        const { [name]: _, ...others } = args;
        set(value === undefined ? others : { ...args, [name]: value });
      }}
    />
  );
  return (
    <>
      {choice.length > 1 && (
        <fieldset class="choice">
          <legend class="unseen">{w().given}</legend>
          {choice.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="alternative"
                checked={name === chosen}
                onChange={() => {
                  const kept = Object.fromEntries(
                    Object.entries(args).filter(([key]) => !choice.includes(key)),
                  );
                  set({ ...kept, [name]: schema.properties?.[name]?.type === 'array' ? [] : '' });
                }}
              />
              {name}
            </label>
          ))}
        </fieldset>
      )}
      {all.filter(([name]) => isMain(name)).map(one)}
      {rest.length > 0 && (
        <details class="more" open={rest.some(([name]) => name in args || name in wrong)}>
          <summary>{w().moreArguments(rest.length)}</summary>
          <div class="fields">{rest.map(one)}</div>
        </details>
      )}
    </>
  );
}

/** Of the alternatives the one to begin with: one line is what a person types first. */
export function preferred(schema: Schema): string | undefined {
  const choice = alternatives(schema);
  return choice.find((name) => schema.properties?.[name]?.type !== 'array') ?? choice[0];
}

interface ArgumentProps {
  name: string;
  schema: Schema;
  value: Json | undefined;
  isNeeded: boolean;
  wrong: string | undefined;
  set: (value: Json | undefined) => void;
}

function Argument({ name, schema, value, isNeeded, wrong, set }: ArgumentProps) {
  const id = `arg-${name}`;
  const shared = {
    id,
    required: isNeeded,
    'aria-describedby': schema.description || wrong ? `${id}-hint` : undefined,
    'aria-invalid': wrong ? true : undefined,
  } as const;
  return (
    <Field
      id={id}
      label={name}
      hint={schema.description && w().toldKind(schema.description)}
      wrong={wrong}
    >
      {input(schema, value, shared, set)}
    </Field>
  );
}

type Shared = { id: string; required: boolean };

function input(
  schema: Schema,
  value: Json | undefined,
  shared: Shared,
  set: (value: Json | undefined) => void,
) {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  const fallback = schema.default === undefined ? '' : JSON.stringify(schema.default);
  if (schema.enum) {
    return (
      <select
        {...shared}
        value={String(value ?? schema.default ?? '')}
        onChange={(event) => set(event.currentTarget.value || undefined)}
      >
        {!shared.required && <option value="" />}
        {schema.enum.map((each) => (
          <option key={String(each)}>{String(each)}</option>
        ))}
      </select>
    );
  }
  if (type === 'integer' || type === 'number') {
    return (
      <input
        {...shared}
        type="number"
        step={type === 'integer' ? 1 : 'any'}
        min={schema.minimum}
        max={schema.maximum}
        placeholder={fallback}
        value={typeof value === 'number' ? value : ''}
        onInput={(event) =>
          set(event.currentTarget.value === '' ? undefined : Number(event.currentTarget.value))
        }
      />
    );
  }
  if (type === 'boolean' && shared.required && schema.default === undefined) {
    // False must be said too.
    return (
      <select
        {...shared}
        value={value === undefined ? '' : String(value)}
        onChange={({ currentTarget: { value: said } }) =>
          set(said === '' ? undefined : said === 'true')
        }
      >
        <option value="" />
        <option>true</option>
        <option>false</option>
      </select>
    );
  }
  if (type === 'boolean') {
    return (
      <input
        {...shared}
        type="checkbox"
        checked={(value ?? schema.default) === true}
        onChange={({ currentTarget: { checked } }) =>
          set(checked === (schema.default === true) ? undefined : checked)
        }
      />
    );
  }
  if (schema.items?.enum) {
    const chosen = Array.isArray(value) ? value : [];
    return (
      <div class="choice" role="group" id={shared.id}>
        {schema.items.enum.map((each) => (
          <label key={String(each)}>
            <input
              type="checkbox"
              checked={chosen.includes(each)}
              onChange={() => {
                const next = chosen.includes(each)
                  ? chosen.filter((other) => other !== each)
                  : [...chosen, each];
                set(next.length > 0 ? next : undefined);
              }}
            />
            {String(each)}
          </label>
        ))}
      </div>
    );
  }
  if (type === 'array') {
    const isNumbers = schema.items?.type === 'integer' || schema.items?.type === 'number';
    const lines = Array.isArray(value) ? value.join('\n') : '';
    return (
      <textarea
        {...shared}
        rows={3}
        placeholder={w().oneALine}
        defaultValue={lines}
        onInput={(event) => {
          const each = event.currentTarget.value.split('\n').filter((line) => line !== '');
          set(each.length === 0 ? undefined : isNumbers ? each.map(Number) : each);
        }}
      />
    );
  }
  if (type === 'object') {
    const lines = Object.entries((value as Args | undefined) ?? {}).map(
      ([key, each]) => `${key}=${String(each)}`,
    );
    return (
      <textarea
        {...shared}
        rows={3}
        placeholder={w().nameIsValue}
        defaultValue={lines.join('\n')}
        onInput={(event) => {
          const pairs = event.currentTarget.value.split('\n').filter((line) => line.includes('='));
          const map = Object.fromEntries(
            pairs.map((line) => [
              line.slice(0, line.indexOf('=')),
              line.slice(line.indexOf('=') + 1),
            ]),
          );
          set(pairs.length === 0 ? undefined : map);
        }}
      />
    );
  }
  if (type === undefined) {
    // Anything: what is no JSON is a text.
    return (
      <input
        {...shared}
        type="text"
        placeholder={fallback}
        defaultValue={
          value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
        }
        onInput={({ currentTarget: { value: typed } }) =>
          set(typed === '' && !shared.required ? undefined : anyOf(typed))
        }
      />
    );
  }
  const line = (
    <input
      {...shared}
      type={schema.format === 'uri' ? 'url' : 'text'}
      placeholder={fallback}
      value={typeof value === 'string' ? value : ''}
      required={shared.required && typeof value !== 'object'}
      onInput={(event) =>
        set(
          event.currentTarget.value === '' && !shared.required
            ? undefined
            : event.currentTarget.value,
        )
      }
    />
  );
  if (!isBytes(schema)) return line;
  return (
    <>
      {line}
      <input
        type="file"
        aria-label={w().aFile}
        onChange={({ currentTarget: { files } }) => files?.[0] && void read(files[0]).then(set)}
      />
    </>
  );
}

function anyOf(typed: string): Json {
  try {
    return JSON.parse(typed) as Json;
  } catch {
    return typed;
  }
}

/** What bytes are in JSON. */
const read = async (file: File): Promise<Json> => {
  const letters = new Uint8Array(await file.arrayBuffer()).reduce(
    (all, each) => all + String.fromCharCode(each),
    '',
  );
  return { base64: btoa(letters) };
};
