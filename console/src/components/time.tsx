const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const SHORT = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** A time of the API in the browser's zone, in UTC on hover. */
export function Time({ at, short = false }: { at: string | number; short?: boolean }) {
  const moment = new Date(at);
  const utc = moment.toISOString();
  return (
    <time datetime={utc} title={`${utc.slice(0, 19).replace("T", " ")} UTC`}>
      {(short ? SHORT : FULL).format(moment)}
    </time>
  );
}
