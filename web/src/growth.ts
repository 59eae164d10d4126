// By what is counted: how much it was, when, and how fast it had grown.
const counted = new Map<string, { amount: number; at: number; rate: number | null }>();
const kLeastMs = 2000; // Less is too short to tell.
const kForgottenMs = 600_000;

/** How much a count grows a second, as far as two looks at it tell. */
export function growth(key: string, amount: number | undefined): number | null {
  if (amount === undefined) return null;
  const at = Date.now();
  for (const [each, last] of counted) if (at - last.at > kForgottenMs) counted.delete(each);
  const before = counted.get(key);
  if (!before || amount < before.amount) {
    counted.set(key, { amount, at, rate: null });
    return null;
  }
  if (at - before.at < kLeastMs) return before.rate;
  const rate = ((amount - before.amount) * 1000) / (at - before.at);
  counted.set(key, { amount, at, rate });
  return rate;
}
