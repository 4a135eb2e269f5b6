/**
 * Text from outside as one line that people may read: what moves a cursor, begins a line, hides, or turns the direction of what follows becomes
 * U+FFFD, so that a name can dress up neither as another nor as what a program says.
 */
export const visible = (text: string): string => text.replace(/[^\P{Cc}\t]|[\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
