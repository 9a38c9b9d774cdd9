/** A text of the API in which `…` is to be typed or read to the letter. */
export function Marked({ text }: { text: string }) {
  return (
    <>{text.split("`").map((piece, at) => (at % 2 === 1 ? <code key={at} class="url">{piece}</code> : piece))}</>
  );
}
