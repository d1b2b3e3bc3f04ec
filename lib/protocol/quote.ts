/** The most characters of a stranger's text that an error message repeats. */
const quotedLengthMax = 60;

/** What a terminal might obey or cannot show: controls, lone surrogates, marks that turn text round. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text of a stranger, fit for an error message or a log line: in quotes, shortened to 60 characters,
 * with everything that is not printable written as an escape.
 */
export function quoteText(text: string): string {
  const short = text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text;
  return JSON.stringify(short).replace(unprintable, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
