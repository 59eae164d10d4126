// What was dropped: files, and those in folders.

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [await new Promise<File>((yes, no) => (entry as FileSystemFileEntry).file(yes, no))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  for (;;) {
    // A hundred at a time, then none.
    const some = await new Promise<FileSystemEntry[]>((yes, no) => reader.readEntries(yes, no));
    if (some.length === 0) return files;
    for (const each of some) files.push(...(await filesIn(each)));
  }
}

/** All files of a drop, in the order of their folders. */
export async function filesOf(items: DataTransferItemList): Promise<File[]> {
  // Taken at once: the list is empty once the drop's handler has returned.
  const taken = Array.from(items, (item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const files = await Promise.all(
    taken.map((each) => (each instanceof File ? [each] : each ? filesIn(each) : [])),
  );
  return files.flat();
}
