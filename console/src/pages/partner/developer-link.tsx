import { useState } from "preact/hooks";
import { useAction } from "../../action";
import { api } from "../../api";
import { Act } from "../../components/act";
import { Copyable } from "../../components/copyable";
import { Failure } from "../../components/status";
import { Time } from "../../components/time";

/** Makes a link to the page for the partner's developer, which shows the key there once. */
export function DeveloperLink({ partnerId }: { partnerId: string }) {
  const [link, setLink] = useState<{ url: string; expiresAt: string } | null>(null);
  const make = useAction(async () =>
    setLink(await api.post("/admin/partners/{partnerId}/link", { path: { partnerId } })),
  );

  if (link) {
    return (
      <div class="secret" role="status">
        <p>
          <strong>Link</strong> — shown only once. It gives the key to whoever opens it first, until{" "}
          <Time at={link.expiresAt} />. An earlier link no longer works.
        </p>
        <Copyable label="Link" value={link.url} />
      </div>
    );
  }
  return (
    <>
      {make.error !== null && <Failure text={make.error} />}
      <p>
        <Act deed="post /admin/partners/{partnerId}/link" busy={make.busy} onClick={() => make.run()}>
          {make.busy ? "One moment…" : "Make a link for the partner's developer"}
        </Act>
      </p>
    </>
  );
}
