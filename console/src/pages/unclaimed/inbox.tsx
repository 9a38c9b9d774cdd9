import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api";
import { Act } from "../../components/act";
import { Head } from "../../components/head";
import { useData } from "../../data";
import { hrefTo } from "../../router";

/** Whether what was sent is shown. */
export type Texts = "shown" | "hidden";

/** The lists of what reached no activation, by their routes. */
export const TITLES = {
  "/unclaimed": "Unclaimed SMS",
  "/unclaimed/waiting": "Waiting SMS",
  "/unclaimed/incomplete": "Incomplete SMS",
  "/unclaimed/payloads": "Unreadable payloads",
} as const;

interface InboxProps {
  readonly route: keyof typeof TITLES;
  /** What is hidden until it is asked for. */
  readonly what: string;
  readonly lead: string;
  readonly children: (texts: Texts) => ComponentChildren;
}

/** One of the lists of what reached no activation. */
export function Inbox({ route, what, lead, children }: InboxProps) {
  const [texts, setTexts] = useState<Texts>("hidden");
  const [refreshes, setRefreshes] = useState(0);
  return (
    <>
      <Head title={TITLES[route]}>
        <button type="button" onClick={() => setRefreshes(refreshes + 1)}>
          Refresh
        </button>
        <Act
          deed="texts"
          aria-describedby="recorded"
          onClick={() => setTexts(texts === "hidden" ? "shown" : "hidden")}
        >
          {texts === "hidden" ? `Show ${what}` : `Hide ${what}`}
        </Act>
      </Head>
      <nav class="tabs" aria-label="Unclaimed">
        {Object.entries(TITLES).map(([one, title]) => (
          <a
            key={one}
            href={hrefTo(...one.split("/").filter(Boolean))}
            aria-current={one === route ? "page" : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <p class="lead">
        {lead} <span id="recorded">They hold other people's codes: viewing them is recorded in the audit log.</span>
      </p>
      <div key={refreshes}>{children(texts)}</div>
    </>
  );
}

export function Foreign({ text }: { text: string | null }) {
  if (text === null) return <span class="quiet">Hidden</span>;
  return text ? <span class="foreign">{text}</span> : <span class="quiet">Empty</span>;
}

/** How often the same came again, in words; nothing if it did not. */
export function Repeats({ repeats }: { repeats: number }) {
  if (repeats === 0) return null;
  return (
    <>
      received {repeats} more {repeats === 1 ? "time" : "times"}
    </>
  );
}

/** Return what gives a source's name by its id, or the id while that is unknown. */
export function useSourceNames(): (sourceId: string) => string {
  const sources = useData((signal) => api.get("/admin/sources", { signal }), []);
  const names = new Map(sources.value?.sources.map((source) => [source.sourceId, source.name]));
  return (sourceId) => names.get(sourceId) ?? sourceId;
}
