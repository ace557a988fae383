/** Does `action` for all items, `most` of them at the same time, and starts them in their order. */
export async function inParallel<Item>(
  items: readonly Item[],
  most: number,
  action: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  // All workers take from one iterator, each its next item when it is done with the one before.
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) await action(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
}
