/** Labels of a partition, and characters of a label's text. */
export const MOST_LABELS = 32;
export const MOST_LABEL_TEXT = 63;

/** Letters, digits, `_`, `-` and `.`, at most 63, beginning with a letter or digit. */
export function isLabelName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name);
}
