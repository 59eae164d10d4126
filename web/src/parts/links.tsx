// Ways to what has a screen of its own.

export const projectAt = (name: string) => `/projects/${encodeURIComponent(name)}`;

/** The way to a task's story; the keys of a table's row do without it. */
export function TaskId({ id, isInRow = false }: { id: string; isInRow?: boolean }) {
  return (
    <a class="mono" href={`/tasks/${id}`} {...(isInRow && { tabIndex: -1 })}>
      {id}
    </a>
  );
}
