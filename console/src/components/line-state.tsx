import { Badge } from "./badge";
import type { Column } from "./listing";
import { Time } from "./time";

/** What is said of a line now, since when, and until when its number is sold. */
interface Said {
  readonly online: boolean | null;
  readonly since: string | null;
  readonly soldUntil: string | null;
}

/** Whether a line is online; null when nothing says. */
export function LineState({ online }: { online: boolean | null }) {
  if (online === null) return <Badge>Unknown</Badge>;
  return online ? <Badge tone="good">Online</Badge> : <Badge tone="bad">Offline</Badge>;
}

/** The columns of tables of lines that tell how they are. */
export const STATE_COLUMNS: readonly Column<Said>[] = [
  { title: "State", cell: ({ online }) => <LineState online={online} /> },
  // Of what is unknown, it would be since when it was known.
  { title: "Since", cell: ({ online, since }) => (online === null || since === null ? "–" : <Time at={since} />) },
  { title: "Sold until", cell: ({ soldUntil }) => (soldUntil === null ? "–" : <Time at={soldUntil} />) },
];
