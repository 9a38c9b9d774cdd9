/** The start of what a partner answered, null while it is hidden. */
export function AnswerText({ text }: { text: string | null }) {
  if (text === null) return <span class="quiet">Hidden</span>;
  return text ? <code class="foreign">{text}</code> : <span class="quiet">Empty</span>;
}
